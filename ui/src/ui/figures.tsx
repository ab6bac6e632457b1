import type { ReactNode } from 'react';
import css from './figures.module.css';
import { Tooltip } from './tooltip';

/** The parts of a page of figures, one below the other; dim while newer ones are on their way. */
export function Stack({ dim, children }: { dim?: boolean; children: ReactNode }) {
  return (
    <div className={css.stack} data-dim={dim || undefined} aria-busy={dim ?? false}>
      {children}
    </div>
  );
}

/** What is asked for: choices beside each other above the figures. */
export function Toolbar({ children }: { children: ReactNode }) {
  return <div className={css.toolbar}>{children}</div>;
}

/** A row of figures: four beside each other, two where there is less room. */
export function Figures({ children }: { children: ReactNode }) {
  return <div className={css.figures}>{children}</div>;
}

/** Two panels beside each other, one below the other where there is less room. */
export function Halves({ children }: { children: ReactNode }) {
  return <div className={css.halves}>{children}</div>;
}

interface FigureProps {
  name: string;
  value: ReactNode;
  /** How the figure is defined, shown when the name is pointed at or focused. */
  means?: string;
  /** What compares it with before, between the figure and the remark. */
  change?: ReactNode;
  /** The remark below. */
  note?: ReactNode;
}
/** A figure with its name above and a remark below. */
export function Figure({ name, value, means, change, note }: FigureProps) {
  return (
    <section className={css.figure} aria-label={name}>
      <h2 className={css.name}>
        {means === undefined ? (
          name
        ) : (
          <Tooltip label={means}>
            <button type="button" className={css.term}>
              {name}
            </button>
          </Tooltip>
        )}
      </h2>
      <div className={css.value}>{value}</div>
      {change}
      {note !== undefined && <p className={css.note}>{note}</p>}
    </section>
  );
}

/** The name in a row of a table or list, with a bar behind it: share is the length from 0 to 1. */
export function Barred({ share, children }: { share: number; children: ReactNode }) {
  return (
    <span className={css.barred}>
      <span className={css.fill} style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} aria-hidden />
      {children}
    </span>
  );
}
