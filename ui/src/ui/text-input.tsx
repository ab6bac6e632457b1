import { TextInput as MantineTextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import type { HTMLInputAutoCompleteAttribute, KeyboardEventHandler, Ref } from 'react';
import { type InputProps, inputSize, isComposing } from './input-base';

export interface TextInputProps extends InputProps {
  value: string;
  onChange: (value: string) => void;
  type?: 'text' | 'email' | 'tel' | 'url' | 'search' | 'time';
  autoComplete?: HTMLInputAutoCompleteAttribute;
  maxLength?: number;
  onEnter?: () => void;
  onKeyDown?: KeyboardEventHandler<HTMLInputElement>;
  ref?: Ref<HTMLInputElement>;
}

export function TextInput({ value, onChange, onEnter, onKeyDown, size, ...rest }: TextInputProps) {
  return (
    <MantineTextInput
      {...rest}
      size={inputSize(size)}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        onKeyDown?.(event);
        if (event.key === 'Enter' && onEnter !== undefined && !isComposing(event)) onEnter();
      }}
    />
  );
}

export function SearchInput({ className, ...props }: TextInputProps) {
  return (
    <TextInput type="search" leftSection={<IconSearch size={15} />} {...(className && { className })} {...props} />
  );
}
