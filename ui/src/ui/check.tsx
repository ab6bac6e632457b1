import { type ReactNode, useId } from 'react';
import css from './check.module.css';

export interface CheckProps {
  label?: ReactNode;
  description?: ReactNode;
  checked: boolean;
  indeterminate?: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  autoFocus?: boolean;
  'aria-label'?: string;
}

interface FrameProps {
  id: string;
  label?: ReactNode;
  description?: ReactNode;
  disabled?: boolean | undefined;
  children: ReactNode;
}

/** A box, a switch or a radio with its words beside it. */
export function CheckFrame({ id, label, description, disabled, children }: FrameProps) {
  const words = label !== undefined || description !== undefined;
  return (
    <span className={css.root} data-disabled={disabled || undefined}>
      <span className={css.control}>{children}</span>
      {words && (
        <span className={css.text}>
          <label className={css.label} htmlFor={id}>
            {label}
          </label>
          {description !== undefined && (
            <span className={css.description} id={`${id}-description`}>
              {description}
            </span>
          )}
        </span>
      )}
    </span>
  );
}

export function useCheckIds(description: ReactNode) {
  const id = useId();
  return { id, 'aria-describedby': description === undefined ? undefined : `${id}-description` };
}
