import type { RfmState } from '@/api';

export type Dimension = keyof RfmState['cuts'];
export const DIMENSIONS: Dimension[] = ['r', 'f', 'm'];
export type Cuts = RfmState['cuts'];

export interface Band {
  score: number;
  /** Inclusive; null is open. */
  low: number | null;
  high: number | null;
}

/**
 * What each score means. Four ascending cuts make five bands: up to and including a cut is below it. Recency counts
 * days, so there the first band is the best.
 */
export function bands(cuts: readonly number[], dimension: Dimension): Band[] {
  const edges = [...cuts].sort((left, right) => left - right);
  const found = Array.from({ length: edges.length + 1 }, (_, at) => ({
    score: dimension === 'r' ? edges.length + 1 - at : at + 1,
    low: at === 0 ? null : (edges[at - 1] ?? 0) + 1,
    high: edges[at] ?? null,
  }));
  return found.toSorted((left, right) => right.score - left.score);
}

/** A band that nobody can be in: two equal cuts. */
export const isBarren = (band: Band): boolean => band.low !== null && band.high !== null && band.low > band.high;

/** The first cut that is not above the one before; null when all ascend. */
export function badCut(cuts: readonly (number | null)[]): number | null {
  for (let at = 0; at < cuts.length; at++) {
    const now = cuts[at];
    const before = at === 0 ? -1 : cuts[at - 1];
    if (now === null || now === undefined || now < 0 || (before !== null && before !== undefined && now < before))
      return at;
  }
  return null;
}

/** Minor units per whole unit of a currency. */
export function minorUnits(currency: string): number {
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return 10 ** digits;
}
