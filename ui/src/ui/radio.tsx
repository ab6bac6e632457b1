import { type ReactNode, useId } from 'react';
import { cx } from '@/lib/cx';
import { CheckFrame, useCheckIds } from './check';
import css from './check.module.css';

interface Option<T extends string> {
  value: T;
  label: ReactNode;
  description?: ReactNode;
  disabled?: boolean;
}
interface RadioProps<T extends string> {
  label?: ReactNode;
  value: T;
  onChange: (value: T) => void;
  options: Option<T>[];
}

function One<T extends string>({
  option,
  name,
  checked,
  onPick,
}: {
  option: Option<T>;
  name: string;
  checked: boolean;
  onPick: () => void;
}) {
  const ids = useCheckIds(option.description);
  return (
    <CheckFrame id={ids.id} label={option.label} description={option.description} disabled={option.disabled}>
      <input
        {...ids}
        type="radio"
        name={name}
        value={option.value}
        checked={checked}
        disabled={option.disabled}
        className={css.input}
        onChange={onPick}
      />
      <span className={cx(css.sign, css.dot)} />
    </CheckFrame>
  );
}

export function RadioGroup<T extends string>({ label, value, onChange, options }: RadioProps<T>) {
  const name = useId();
  return (
    <fieldset className={css.group}>
      {label !== undefined && <legend className={css.legend}>{label}</legend>}
      <div className={css.options}>
        {options.map((option) => (
          <One
            key={option.value}
            option={option}
            name={name}
            checked={option.value === value}
            onPick={() => onChange(option.value)}
          />
        ))}
      </div>
    </fieldset>
  );
}
