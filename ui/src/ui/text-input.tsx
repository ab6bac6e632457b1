import { IconSearch } from '@tabler/icons-react';
import type { HTMLInputAutoCompleteAttribute, KeyboardEventHandler, Ref } from 'react';
import { FieldFrame, useFieldIds } from './field';
import css from './field.module.css';
import { type InputProps, isComposing } from './input-base';

export interface TextInputProps extends InputProps {
  value: string;
  onChange: (value: string) => void;
  type?: 'text' | 'email' | 'tel' | 'url' | 'search' | 'time' | 'datetime-local';
  autoComplete?: HTMLInputAutoCompleteAttribute;
  maxLength?: number;
  onEnter?: () => void;
  onKeyDown?: KeyboardEventHandler<HTMLInputElement>;
  ref?: Ref<HTMLInputElement>;
}

export function TextInput({
  value,
  onChange,
  onEnter,
  onKeyDown,
  size,
  label,
  description,
  error,
  className,
  style,
  leftSection,
  rightSection,
  id,
  type = 'text',
  ...rest
}: TextInputProps) {
  const ids = useFieldIds({ ...(id !== undefined && { id }), description, error });
  const frame = { label, description, error, leftSection, rightSection, id: ids.id };
  return (
    <FieldFrame
      {...frame}
      {...(rest.required !== undefined && { required: rest.required })}
      {...(className !== undefined && { className })}
      {...(style !== undefined && { style })}
    >
      <input
        {...rest}
        {...ids}
        type={type}
        className={css.input}
        data-size={size}
        data-left={leftSection === undefined ? undefined : true}
        data-right={rightSection === undefined ? undefined : true}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          onKeyDown?.(event);
          if (event.key === 'Enter' && onEnter !== undefined && !isComposing(event)) onEnter();
        }}
      />
    </FieldFrame>
  );
}

export function SearchInput(props: TextInputProps) {
  return <TextInput type="search" leftSection={<IconSearch size={15} />} {...props} />;
}
