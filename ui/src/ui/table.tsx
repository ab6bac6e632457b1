import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';
import css from './table.module.css';

export interface TableColumn<T> {
  key: string;
  label: ReactNode;
  align?: 'left' | 'right';
  width?: number | string;
  cell: (row: T) => ReactNode;
  /** Left out on phones. */
  minor?: boolean;
}
interface TableProps<T> {
  label: string;
  columns: readonly TableColumn<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  onRowClick?: (row: T) => void;
  empty?: ReactNode;
}

/** For tens of rows (settings, history). Lists of records use the grid of src/records. */
export function Table<T>({ label, columns, rows, rowKey, onRowClick, empty }: TableProps<T>) {
  if (rows.length === 0 && empty !== undefined) return empty;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard
    <section className={css.wrap} aria-label={label} tabIndex={0}>
      <table className={css.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                style={{ width: column.width, textAlign: column.align }}
                className={cx(column.minor && css.minor)}
              >
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              {...(onRowClick !== undefined && {
                tabIndex: 0,
                'data-clickable': true,
                onClick: () => onRowClick(row),
                onKeyDown: (event) => event.key === 'Enter' && event.target === event.currentTarget && onRowClick(row),
              })}
            >
              {columns.map((column) => (
                <td key={column.key} style={{ textAlign: column.align }} className={cx(column.minor && css.minor)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
