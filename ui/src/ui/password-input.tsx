import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { useState } from 'react';
import { FieldFrame, useFieldIds } from './field';
import css from './field.module.css';
import type { InputProps } from './input-base';

interface PasswordProps extends InputProps {
  value: string;
  onChange: (value: string) => void;
  autoComplete?: 'current-password' | 'new-password';
  /** Spoken name of the eye button. */
  toggleLabel: string;
}
export function PasswordInput({
  value,
  onChange,
  toggleLabel,
  size,
  label,
  description,
  error,
  className,
  style,
  leftSection: _left,
  rightSection: _right,
  id,
  ...rest
}: PasswordProps) {
  const [shown, setShown] = useState(false);
  const ids = useFieldIds({ ...(id !== undefined && { id }), description, error });
  const Eye = shown ? IconEyeOff : IconEye;
  return (
    <FieldFrame
      label={label}
      description={description}
      error={error}
      id={ids.id}
      {...(rest.required !== undefined && { required: rest.required })}
      {...(className !== undefined && { className })}
      {...(style !== undefined && { style })}
      rightSection={
        <button
          type="button"
          className={css.eye}
          aria-label={toggleLabel}
          aria-pressed={shown}
          tabIndex={-1}
          // Focus stays where the password is typed.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => setShown(!shown)}
        >
          <Eye size={16} stroke={1.6} aria-hidden />
        </button>
      }
    >
      <input
        {...rest}
        {...ids}
        type={shown ? 'text' : 'password'}
        className={css.input}
        data-size={size}
        data-right
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </FieldFrame>
  );
}
