/**
 * What is chosen in a list. `some` keeps the ids; `all` is everything that matches, without those in `except`: nobody
 * sends a million ids.
 */
export type Selection =
  | { mode: 'some'; ids: ReadonlySet<string>; anchor: number | null }
  | { mode: 'all'; except: ReadonlySet<string>; anchor: number | null };

export const NOTHING: Selection = { mode: 'some', ids: new Set(), anchor: null };

export const isSelected = (selection: Selection, id: string): boolean =>
  selection.mode === 'all' ? !selection.except.has(id) : selection.ids.has(id);

export const isNothing = (selection: Selection): boolean => selection.mode === 'some' && selection.ids.size === 0;

/** How many, where `total` is how many match. */
export function selectedCount(selection: Selection, total: number): number {
  return selection.mode === 'all' ? Math.max(0, total - selection.except.size) : selection.ids.size;
}

function withId(set: ReadonlySet<string>, id: string, on: boolean): Set<string> {
  const next = new Set(set);
  if (on) next.add(id);
  else next.delete(id);
  return next;
}

function put(selection: Selection, ids: readonly string[], on: boolean, anchor: number | null): Selection {
  if (selection.mode === 'all') {
    let except = selection.except;
    for (const id of ids) except = withId(except, id, !on);
    return { mode: 'all', except, anchor };
  }
  let chosen = selection.ids;
  for (const id of ids) chosen = withId(chosen, id, on);
  return { mode: 'some', ids: chosen, anchor };
}

/** One row on or off; the row is where a later shift-click starts. */
export const toggle = (selection: Selection, id: string, row: number): Selection =>
  put(selection, [id], !isSelected(selection, id), row);

/** Everything between the anchor and a row, taking the state of the anchor. Rows that are not loaded stay out. */
export function extend(selection: Selection, row: number, idAt: (row: number) => string | undefined): Selection {
  const { anchor } = selection;
  const anchorId = anchor === null ? undefined : idAt(anchor);
  const id = idAt(row);
  if (id === undefined) return selection;
  if (anchor === null || anchorId === undefined) return toggle(selection, id, row);
  const ids: string[] = [];
  for (let at = Math.min(anchor, row); at <= Math.max(anchor, row); at++) {
    const between = idAt(at);
    if (between !== undefined) ids.push(between);
  }
  return put(selection, ids, isSelected(selection, anchorId), anchor);
}

export const selectIds = (ids: readonly string[]): Selection => ({ mode: 'some', ids: new Set(ids), anchor: null });
export const selectAll = (): Selection => ({ mode: 'all', except: new Set(), anchor: null });

/** The state of the box in the header: all of the loaded rows, some, or none. */
export function headerState(selection: Selection, loaded: readonly string[]): 'none' | 'some' | 'all' {
  if (selection.mode === 'all') return selection.except.size === 0 ? 'all' : 'some';
  if (selection.ids.size === 0) return 'none';
  return loaded.length > 0 && loaded.every((id) => selection.ids.has(id)) ? 'all' : 'some';
}
