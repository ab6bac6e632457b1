import { cx } from '@/lib/cx';
import { CheckFrame, type CheckProps, useCheckIds } from './check';
import css from './check.module.css';

export function Switch({ onChange, label, description, indeterminate: _, ...rest }: CheckProps) {
  const ids = useCheckIds(description);
  return (
    <CheckFrame id={ids.id} label={label} description={description} disabled={rest.disabled}>
      <input
        {...rest}
        {...ids}
        type="checkbox"
        role="switch"
        aria-checked={rest.checked}
        className={cx(css.input, css.switch)}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span className={css.thumb} />
    </CheckFrame>
  );
}
