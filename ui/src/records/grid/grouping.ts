import type { FigureGroup } from '@/api';

/** How many records of one group can be scrolled to; more are seen by filtering for the group. */
export const GROUP_LIMIT = 10_000;

/** Groups laid out as rows: a head for each, and the records of those that are open below it. */
export interface GroupLayout {
  groups: readonly FigureGroup[];
  /** The row of each group's head. */
  heads: readonly number[];
  /** How many records of each are shown. */
  sizes: readonly number[];
  count: number;
}

export function layGroups(groups: readonly FigureGroup[], isOpen: (group: FigureGroup) => boolean): GroupLayout {
  const heads: number[] = [];
  const sizes: number[] = [];
  let row = 0;
  for (const group of groups) {
    const size = isOpen(group) ? Math.min(group.count, GROUP_LIMIT) : 0;
    heads.push(row);
    sizes.push(size);
    row += 1 + size;
  }
  return { groups, heads, sizes, count: row };
}

/** The group that a row belongs to, and which of its records it is: -1 for the head. Null past the end. */
export function placeOf(layout: GroupLayout, row: number): { group: number; record: number } | null {
  if (row < 0 || row >= layout.count) return null;
  let low = 0;
  let high = layout.heads.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((layout.heads[middle] ?? 0) <= row) low = middle;
    else high = middle - 1;
  }
  return { group: low, record: row - (layout.heads[low] ?? 0) - 1 };
}

/** The pages of groups that a window of rows shows. */
export function groupPages(
  layout: GroupLayout,
  window: { first: number; end: number },
  page: number,
): { group: number; page: number }[] {
  const pages: { group: number; page: number }[] = [];
  let at = placeOf(layout, Math.max(0, window.first));
  const end = Math.min(window.end, layout.count);
  for (let row = Math.max(0, window.first); row < end && at !== null; at = placeOf(layout, row)) {
    if (at.record < 0) {
      row += 1;
      continue;
    }
    const number = Math.floor(at.record / page);
    pages.push({ group: at.group, page: number });
    const next = Math.min((number + 1) * page, layout.sizes[at.group] ?? 0);
    row += next - at.record;
  }
  return pages;
}
