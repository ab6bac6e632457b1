import type { ReactNode } from 'react';
import css from './layout.module.css';

export interface Highlight {
  key: string;
  label: ReactNode;
  value: ReactNode;
}

/** The strip of figures over the tabs. */
export function Highlights({ items, label }: { items: readonly Highlight[]; label: string }) {
  if (items.length === 0) return null;
  return (
    <dl className={css.highlights} aria-label={label} style={{ '--count': items.length } as React.CSSProperties}>
      {items.map((item) => (
        <div key={item.key} className={css.highlight}>
          <dt>{item.label}</dt>
          <dd>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}
