import type { ViewKind } from '@/api';
import { flag, oneOf, shape, text, whole } from '@/lib/search-params';

/** The state of a list in its address. What is missing comes from the view; a bad value falls back, never fails. */
export const readListSearch = shape({
  /** Saved view; built-in ones are "builtin:all". */
  view: text,
  /** base64url of a condition: only when it differs from the view's. "none" is no condition at all. */
  where: text,
  /** "-created_at,name" or "-trait.spend_total". */
  sort: text,
  /** "name,trait.spend_total". */
  cols: text,
  /** How records are shown, when not as the view says. */
  kind: oneOf<ViewKind>('list', 'board', 'calendar', 'cards'),
  /** base64url of the settings: grouping, totals, widths, board and calendar; only when they differ from the view's. */
  opts: text,
  /** Of a list in numbered pages, from 1. */
  page: whole,
  /** The first day that a calendar shows: "2026-11-22". */
  day: text,
  q: text,
  /** Where the list starts, in the first sort field: "jump to". base64url of the JSON value. */
  from: text,
  /** The recycle bin. */
  deleted: flag,
  /** Opens the form for a new record. */
  new: flag,
});
export type ListSearch = ReturnType<typeof readListSearch>;
