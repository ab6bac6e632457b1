/** Steps that can be taken back and done again. The newest step is last in `past`. */
export interface Undo<T> {
  past: readonly T[];
  now: T;
  future: readonly T[];
  /** The kind and time of the last change, so that typing makes one step and not one per letter. */
  tag: string | null;
  at: number;
}

export const UNDO_STEPS = 100;
const MERGE_WITHIN = 1000;

export const startUndo = <T>(now: T): Undo<T> => ({ past: [], now, future: [], tag: null, at: 0 });

/** A change. One with the same tag as the last, less than a second later, joins it. */
export function change<T>(undo: Undo<T>, now: T, tag: string | null = null, at = 0): Undo<T> {
  if (Object.is(now, undo.now)) return undo;
  const joins = tag !== null && tag === undo.tag && at - undo.at < MERGE_WITHIN && undo.past.length > 0;
  const past = joins ? undo.past : [...undo.past, undo.now].slice(-UNDO_STEPS);
  return { past, now, future: [], tag, at };
}

export function back<T>(undo: Undo<T>): Undo<T> {
  const last = undo.past.at(-1);
  if (last === undefined) return undo;
  return { past: undo.past.slice(0, -1), now: last, future: [undo.now, ...undo.future], tag: null, at: 0 };
}

export function forth<T>(undo: Undo<T>): Undo<T> {
  const [next, ...rest] = undo.future;
  if (next === undefined) return undo;
  return { past: [...undo.past, undo.now], now: next, future: rest, tag: null, at: 0 };
}
