import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';
import css from './panel.module.css';

interface PanelProps {
  title?: ReactNode;
  /** Small text or buttons at the right of the title. */
  aside?: ReactNode;
  children?: ReactNode;
  className?: string;
  /** No inner space, for tables that reach the edge. */
  flush?: boolean;
}
export function Panel({ title, aside, children, className, flush }: PanelProps) {
  return (
    <section className={cx(css.panel, flush && css.flush, className)}>
      {(title !== undefined || aside !== undefined) && (
        <header className={css.head}>
          <h2 className={css.title}>{title}</h2>
          {aside !== undefined && (
            <div className={css.aside} data-aside>
              {aside}
            </div>
          )}
        </header>
      )}
      {children}
    </section>
  );
}

interface StatProps {
  label: ReactNode;
  value: ReactNode;
  children?: ReactNode;
}
/** A figure with its name above and a remark below. */
export function Stat({ label, value, children }: StatProps) {
  return (
    <div className={css.stat}>
      <div className={css.statLabel}>{label}</div>
      <div className={css.statValue}>{value}</div>
      {children !== undefined && <div className={css.statNote}>{children}</div>}
    </div>
  );
}
