import { useEffect, useRef } from 'react';
import { CheckFrame, type CheckProps, useCheckIds } from './check';
import css from './check.module.css';

export function Checkbox({ onChange, label, description, indeterminate = false, ...rest }: CheckProps) {
  const ids = useCheckIds(description);
  const input = useRef<HTMLInputElement>(null);
  // Half-checked is a property of the element, not an attribute.
  useEffect(() => {
    if (input.current !== null) input.current.indeterminate = indeterminate;
  }, [indeterminate]);
  return (
    <CheckFrame id={ids.id} label={label} description={description} disabled={rest.disabled}>
      <input
        {...rest}
        {...ids}
        ref={input}
        type="checkbox"
        className={css.input}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <svg className={css.sign} viewBox="0 0 10 10" width={10} height={10} fill="none" aria-hidden>
        <path
          d={indeterminate ? 'M1.5 5h7' : 'M1 5.2 3.8 8 9 2.2'}
          stroke="currentcolor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
    </CheckFrame>
  );
}
