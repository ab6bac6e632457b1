import '@mantine/core/styles/Tabs.layer.css';
import { Tabs as MantineTabs } from '@mantine/core';
import type { ReactNode } from 'react';
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

/** Soft tabs as in the look: the chosen one lies on a grey ground. */
export function Tabs<T extends string>({ value, onChange, items, label }: TabsProps<T>) {
  return (
    <MantineTabs
      value={value}
      onChange={(next) => next !== null && onChange(next as T)}
      keepMounted={false}
      variant="unstyled"
      classNames={{ tab: css.tab ?? '', list: css.list ?? '' }}
    >
      <MantineTabs.List aria-label={label}>
        {items.map((item) => (
          <MantineTabs.Tab key={item.value} value={item.value} leftSection={item.icon}>
            {item.label}
            {item.count !== undefined && <span className={css.count}>{item.count}</span>}
          </MantineTabs.Tab>
        ))}
      </MantineTabs.List>
      {items.map(
        (item) =>
          item.content !== undefined && (
            <MantineTabs.Panel key={item.value} value={item.value} pt={12}>
              {item.content}
            </MantineTabs.Panel>
          ),
      )}
    </MantineTabs>
  );
}
