import type { Active } from './use-grid-keys';

/** Cells in a rectangle, edges included. */
export interface Range {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** The cells between two corners; null unless there are at least two cells. */
export function rangeBetween(anchor: Active | null, active: Active | null): Range | null {
  if (anchor === null || active === null || anchor.row < 0 || active.row < 0) return null;
  if (anchor.row === active.row && anchor.column === active.column) return null;
  return {
    top: Math.min(anchor.row, active.row),
    bottom: Math.max(anchor.row, active.row),
    left: Math.min(anchor.column, active.column),
    right: Math.max(anchor.column, active.column),
  };
}
