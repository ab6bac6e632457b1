import { type KeyboardEvent, type ReactNode, useId } from 'react';
import css from './tabs.module.css';

export interface TabItem<T extends string> {
  value: T;
  label: ReactNode;
  count?: number | string | undefined;
  icon?: ReactNode;
  /** Shown inside the panel when this tab is on; leave out when the page draws its own. */
  content?: ReactNode;
}
interface TabsProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  items: readonly TabItem<T>[];
  label: string;
}

const STEP: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };

/** Soft tabs as in the look: the chosen one lies on a grey ground. Arrow keys, Home and End move between them. */
export function Tabs<T extends string>({ value, onChange, items, label }: TabsProps<T>) {
  const id = useId();
  const shown = items.find((item) => item.value === value);
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const at = items.findIndex((item) => item.value === value);
    let to = -1;
    if (event.key in STEP) to = (at + (STEP[event.key] ?? 0) + items.length) % items.length;
    else if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = items.length - 1;
    const next = items[to];
    if (next === undefined) return;
    event.preventDefault();
    onChange(next.value);
    event.currentTarget.querySelectorAll<HTMLElement>('[role="tab"]')[to]?.focus();
  };
  return (
    <div>
      <div role="tablist" aria-label={label} className={css.list} onKeyDown={move}>
        {items.map((item) => {
          const on = item.value === value;
          return (
            <button
              key={item.value}
              type="button"
              role="tab"
              id={`${id}-tab-${item.value}`}
              aria-selected={on}
              aria-controls={on && item.content !== undefined ? `${id}-panel-${item.value}` : undefined}
              tabIndex={on ? 0 : -1}
              className={css.tab}
              data-active={on || undefined}
              onClick={() => onChange(item.value)}
            >
              {item.icon}
              {item.label}
              {item.count !== undefined && <span className={css.count}>{item.count}</span>}
            </button>
          );
        })}
      </div>
      {shown?.content !== undefined && (
        <div
          role="tabpanel"
          id={`${id}-panel-${shown.value}`}
          aria-labelledby={`${id}-tab-${shown.value}`}
          className={css.panel}
        >
          {shown.content}
        </div>
      )}
    </div>
  );
}
