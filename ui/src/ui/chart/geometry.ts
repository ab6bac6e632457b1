/** Plain geometry of the small charts; no React, no DOM. */
export interface Box {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Round numbers for an axis from 0 to at least `max`, about `count` steps. */
export function niceTicks(max: number, count = 4): number[] {
  if (!Number.isFinite(max) || max <= 0) return [0, 1];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= rough) ?? 10;
  const step = unit * power;
  const ticks: number[] = [];
  for (let at = 0; at * step < max + step * 0.999; at++) ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}

/** The bottom and top of an axis for values that may lie far from zero (sizes of a segment). */
export function niceRange(values: readonly number[], fromZero: boolean): { low: number; high: number } {
  const high = Math.max(...values, 0);
  const low = Math.min(...values);
  if (fromZero || values.length === 0 || low <= 0) return { low: 0, high: niceTicks(high).at(-1) ?? 1 };
  const spread = Math.max(high - low, high * 0.02, 1);
  const ticks = niceTicks(spread, 3);
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  return {
    low: Math.max(0, Math.floor((low - spread * 0.15) / step) * step),
    high: Math.ceil((high + spread * 0.1) / step) * step,
  };
}

/** The middle of place `at` of `count`, spread over the whole width; a single one stands in the centre. */
export function xOf(at: number, count: number, box: Box): number {
  const inner = box.width - box.left - box.right;
  return count <= 1 ? box.left + inner / 2 : box.left + (at * inner) / (count - 1);
}
export function yOf(value: number, low: number, high: number, box: Box): number {
  const inner = box.height - box.top - box.bottom;
  const share = high === low ? 0 : (value - low) / (high - low);
  return box.top + inner * (1 - share);
}

const round = (value: number): number => Math.round(value * 10) / 10;

export interface Point {
  x: number;
  y: number;
}
export const linePath = (points: readonly Point[]): string =>
  points.map((point, at) => `${at === 0 ? 'M' : 'L'}${round(point.x)} ${round(point.y)}`).join('');

/** The line closed down to a floor (or to another line, given backwards). */
export function areaPath(points: readonly Point[], floor: number | readonly Point[]): string {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return '';
  const under =
    typeof floor === 'number'
      ? [
          { x: last.x, y: floor },
          { x: first.x, y: floor },
        ]
      : [...floor].reverse();
  return `${linePath(points)}${under.map((point) => `L${round(point.x)} ${round(point.y)}`).join('')}Z`;
}

/** The place nearest to a pointer at `x`. */
export function nearest(x: number, count: number, box: Box): number {
  if (count <= 1) return 0;
  const inner = box.width - box.left - box.right;
  return Math.max(0, Math.min(count - 1, Math.round(((x - box.left) / inner) * (count - 1))));
}

export interface AxisWord {
  at: number;
  x: number;
  anchor: 'start' | 'middle' | 'end';
}

const BETWEEN = 14;

/**
 * Which places get a word under them, and where it stands: as many as fit without touching, at even distances, and
 * always the last. Words that would stand out over an edge of the chart lean on it instead.
 */
export function axisWords(words: readonly string[], box: Box): AxisWord[] {
  const count = words.length;
  if (count === 0) return [];
  const wide = (at: number) => wordWidth(words[at] ?? '');
  const span = (at: number): { from: number; to: number; word: AxisWord } => {
    const x = xOf(at, count, box);
    const half = wide(at) / 2;
    if (count > 1 && x + half > box.width) {
      const edge = box.width - 1;
      return { from: edge - half * 2, to: edge, word: { at, x: edge, anchor: 'end' } };
    }
    if (x - half < 0) return { from: 0, to: half * 2, word: { at, x: 0, anchor: 'start' } };
    return { from: x - half, to: x + half, word: { at, x, anchor: 'middle' } };
  };
  for (let every = 1; every < count; every++) {
    const shown: ReturnType<typeof span>[] = [];
    for (let at = count - 1; at >= 0; at -= every) shown.unshift(span(at));
    if (shown.every((one, index) => index === 0 || one.from - (shown[index - 1]?.to ?? 0) >= BETWEEN))
      return shown.map((one) => one.word);
  }
  return [span(count - 1).word];
}

/** Rows of values as layers laid on each other: for each series the lower and upper edge per place. */
export function stack(series: readonly (readonly number[])[]): { low: number; high: number }[][] {
  const count = Math.max(0, ...series.map((values) => values.length));
  const floor = new Array<number>(count).fill(0);
  return series.map((values) =>
    floor.map((low, at) => {
      const high = low + (values[at] ?? 0);
      floor[at] = high;
      return { low, high };
    }),
  );
}

/** About how wide a word of the axis is at 12 px; Chinese characters and their like are as wide as they are high. */
export const wordWidth = (text: string): number =>
  [...text].reduce((sum, char) => sum + ((char.codePointAt(0) ?? 0) > 0x2e7f ? 12.5 : 7.2), 0);
