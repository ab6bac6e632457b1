import type { KeyboardEvent } from 'react';
import { isComposing } from '@/ui';

export interface Active {
  /** -1 is the header. */
  row: number;
  column: number;
}

export interface GridKeys {
  active: Active | null;
  rows: number;
  columns: number;
  /** Whole rows in sight, for PgUp and PgDn. */
  page: number;
  move: (to: Active, extend: boolean) => void;
  /** Enter and F2: opens a record, edits a cell, sorts by a header. */
  enter: (at: Active, how: 'enter' | 'edit' | 'peek' | 'tab') => void;
  toggle: (row: number, extend: boolean) => void;
  selectAll: () => void;
  clear: (at: Active) => void;
  /** Takes the last change back; answers whether there was one. */
  undo: () => boolean;
  /** Answers whether there was something to leave. */
  escape: () => boolean;
  /** On the header: -1 and 1 move the column, -16 and 16 change its width. */
  moveColumn: (column: number, by: -1 | 1) => void;
  resizeColumn: (column: number, by: number) => void;
}

type Step = [rows: number, columns: number];

const STEPS: Record<string, (page: number) => Step> = {
  ArrowUp: () => [-1, 0],
  ArrowDown: () => [1, 0],
  ArrowLeft: () => [0, -1],
  ArrowRight: () => [0, 1],
  PageUp: (page) => [-page, 0],
  PageDown: (page) => [page, 0],
  Home: () => [Number.NEGATIVE_INFINITY, 0],
  End: () => [Number.POSITIVE_INFINITY, 0],
};

const clamp = (value: number, least: number, most: number) => Math.max(least, Math.min(value, most));

function headerKey(event: KeyboardEvent, at: Active, keys: GridKeys): boolean {
  const by = event.key === 'ArrowLeft' ? -1 : 1;
  const sideways = event.key === 'ArrowLeft' || event.key === 'ArrowRight';
  if (sideways && event.altKey) keys.moveColumn(at.column, by);
  else if (sideways && event.shiftKey) keys.resizeColumn(at.column, by * 16);
  else if (event.key === 'Enter' || event.key === ' ') keys.enter(at, 'enter');
  else return false;
  return true;
}

function rowKey(event: KeyboardEvent, at: Active, keys: GridKeys): boolean {
  const modified = event.metaKey || event.ctrlKey;
  switch (event.key) {
    case 'Enter':
      if (modified) keys.enter(at, 'tab');
      else keys.enter(at, event.shiftKey ? 'peek' : 'enter');
      return true;
    case 'F2':
      keys.enter(at, 'edit');
      return true;
    case ' ':
      keys.toggle(at.row, event.shiftKey);
      return true;
    case 'x':
    case 'X':
      if (modified || event.altKey) return false;
      keys.toggle(at.row, event.shiftKey);
      return true;
    case 'Delete':
    case 'Backspace':
      keys.clear(at);
      return true;
    default:
      return false;
  }
}

/** Every key of the grid in one place; answers whether it was one. */
export function handleGridKey(event: KeyboardEvent, keys: GridKeys): boolean {
  if (isComposing(event) || event.defaultPrevented) return false;
  if (event.key === 'Escape') return keys.escape();
  const modified = event.metaKey || event.ctrlKey;
  if (modified && event.key.toLowerCase() === 'a') {
    keys.selectAll();
    return true;
  }
  if (modified && !event.shiftKey && event.key.toLowerCase() === 'z') return keys.undo();
  const at = keys.active ?? { row: 0, column: 0 };
  if (keys.active !== null) {
    if (at.row < 0 ? headerKey(event, at, keys) : rowKey(event, at, keys)) return true;
  }
  const step = STEPS[event.key];
  if (step === undefined || event.altKey) return false;
  // The first key only shows where one is.
  if (keys.active === null) {
    keys.move(at, false);
    return true;
  }
  const [rows, columns] = step(Math.max(1, keys.page));
  const least = rows === -1 ? -1 : 0;
  const column = modified && rows === 0 ? columns * Number.POSITIVE_INFINITY : at.column + columns;
  keys.move(
    {
      row: clamp(at.row + rows, at.row < 0 && rows <= 0 ? -1 : least, keys.rows - 1),
      column: clamp(column, 0, keys.columns - 1),
    },
    event.shiftKey,
  );
  return true;
}
