import { type ReactNode, useId } from 'react';
import css from './field.module.css';
import type { InputProps } from './input-base';

type FrameProps = Pick<
  InputProps,
  'label' | 'description' | 'error' | 'required' | 'className' | 'style' | 'leftSection' | 'rightSection'
> & { id: string; children: ReactNode };

const present = (part: ReactNode): boolean => part !== undefined && part !== null && part !== false && part !== '';

/** What an input needs to be tied to its label, its explanation and what is wrong with it. */
export function useFieldIds({ id, description, error }: Pick<InputProps, 'id' | 'description' | 'error'>) {
  const own = useId();
  const base = id ?? own;
  const wrong = present(error);
  const described = [
    present(description) && `${base}-description`,
    wrong && typeof error !== 'boolean' && `${base}-error`,
  ].filter(Boolean);
  return {
    id: base,
    'aria-invalid': wrong || undefined,
    'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
  };
}

/** Label above, explanation, the input with what stands inside it, and what is wrong below. */
export function FieldFrame(props: FrameProps) {
  const { id, label, description, error, required, className, style, leftSection, rightSection, children } = props;
  return (
    <div className={className} style={style}>
      {present(label) && (
        <label className={css.label} htmlFor={id}>
          {label}
          {required && (
            <span className={css.asterisk} aria-hidden>
              {' *'}
            </span>
          )}
        </label>
      )}
      {present(description) && (
        <span className={css.description} id={`${id}-description`}>
          {description}
        </span>
      )}
      <div className={css.box}>
        {present(leftSection) && <span className={css.left}>{leftSection}</span>}
        {children}
        {present(rightSection) && <span className={css.right}>{rightSection}</span>}
      </div>
      {present(error) && typeof error !== 'boolean' && (
        <span className={css.error} id={`${id}-error`}>
          {error}
        </span>
      )}
    </div>
  );
}
