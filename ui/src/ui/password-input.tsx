import '@mantine/core/styles/PasswordInput.layer.css';
import { PasswordInput as MantinePasswordInput } from '@mantine/core';
import { type InputProps, inputSize } from './input-base';

interface PasswordProps extends InputProps {
  value: string;
  onChange: (value: string) => void;
  autoComplete?: 'current-password' | 'new-password';
  /** Spoken name of the eye button. */
  toggleLabel: string;
}
export function PasswordInput({ value, onChange, toggleLabel, size, ...rest }: PasswordProps) {
  return (
    <MantinePasswordInput
      {...rest}
      aria-invalid={Boolean(rest.error) || undefined}
      size={inputSize(size)}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ 'aria-label': toggleLabel }}
    />
  );
}
