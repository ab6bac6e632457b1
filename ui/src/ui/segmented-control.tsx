import { type ReactNode, useId } from 'react';
import css from './segmented-control.module.css';

interface SegmentedProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: ReactNode; disabled?: boolean }[];
  label: string;
  fullWidth?: boolean;
  disabled?: boolean;
}

/** One of a few, side by side; radio buttons underneath, so arrow keys work. */
export function SegmentedControl<T extends string>({
  value,
  onChange,
  options,
  label,
  fullWidth = false,
  disabled = false,
}: SegmentedProps<T>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className={css.root} data-full={fullWidth || undefined}>
      {options.map((option) => (
        <label key={option.value} className={css.part}>
          <input
            type="radio"
            name={name}
            value={option.value}
            className={css.input}
            checked={option.value === value}
            disabled={disabled || option.disabled}
            onChange={() => onChange(option.value)}
          />
          <span className={css.label}>{option.label}</span>
        </label>
      ))}
    </div>
  );
}
