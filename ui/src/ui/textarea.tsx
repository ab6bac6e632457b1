import { type KeyboardEventHandler, type Ref, useLayoutEffect, useRef } from 'react';
import { FieldFrame, useFieldIds } from './field';
import css from './field.module.css';
import type { InputProps } from './input-base';

interface TextareaProps extends InputProps {
  value: string;
  onChange: (value: string) => void;
  minRows?: number;
  maxRows?: number;
  onKeyDown?: KeyboardEventHandler<HTMLTextAreaElement>;
  ref?: Ref<HTMLTextAreaElement>;
}

/** As tall as its text, between `minRows` and `maxRows`. */
export function Textarea({
  value,
  onChange,
  size,
  minRows = 3,
  maxRows = 12,
  label,
  description,
  error,
  className,
  style,
  leftSection: _left,
  rightSection: _right,
  id,
  ref,
  ...rest
}: TextareaProps) {
  const own = useRef<HTMLTextAreaElement>(null);
  const ids = useFieldIds({ ...(id !== undefined && { id }), description, error });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text decides the height
  useLayoutEffect(() => {
    const box = own.current;
    if (box === null) return;
    const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(box);
    const most = Number.parseFloat(lineHeight) * maxRows + Number.parseFloat(paddingTop) * 2;
    box.style.height = 'auto';
    const needed = box.scrollHeight + 2;
    if (Number.isNaN(most) || paddingBottom === '') return;
    box.style.height = `${Math.min(needed, most)}px`;
    box.style.overflowY = needed > most ? 'auto' : 'hidden';
  }, [value, maxRows]);
  return (
    <FieldFrame
      label={label}
      description={description}
      error={error}
      id={ids.id}
      {...(rest.required !== undefined && { required: rest.required })}
      {...(className !== undefined && { className })}
      {...(style !== undefined && { style })}
    >
      <textarea
        {...rest}
        {...ids}
        ref={(node) => {
          own.current = node;
          if (typeof ref === 'function') return ref(node);
          if (ref !== null && ref !== undefined) ref.current = node;
          return undefined;
        }}
        rows={minRows}
        className={css.input}
        data-size={size}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </FieldFrame>
  );
}
