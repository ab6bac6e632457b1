import { Textarea as MantineTextarea } from '@mantine/core';
import type { KeyboardEventHandler, Ref } from 'react';
import { type InputProps, inputSize } from './input-base';

interface TextareaProps extends InputProps {
  value: string;
  onChange: (value: string) => void;
  minRows?: number;
  maxRows?: number;
  onKeyDown?: KeyboardEventHandler<HTMLTextAreaElement>;
  ref?: Ref<HTMLTextAreaElement>;
}
export function Textarea({ value, onChange, size, minRows = 3, maxRows = 12, ...rest }: TextareaProps) {
  return (
    <MantineTextarea
      {...rest}
      autosize
      minRows={minRows}
      maxRows={maxRows}
      size={inputSize(size)}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
