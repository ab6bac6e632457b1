import { describe, expect, it } from 'vitest';
import {
  areaPath,
  axisWords,
  type Box,
  linePath,
  nearest,
  niceRange,
  niceTicks,
  stack,
  wordWidth,
  xOf,
  yOf,
} from './geometry';

const box: Box = { width: 120, height: 60, left: 10, right: 10, top: 5, bottom: 5 };

describe('axis', () => {
  it('rounds up to steps that people read', () => {
    expect(niceTicks(93)).toEqual([0, 25, 50, 75, 100]);
    expect(niceTicks(1_286_400)).toEqual([0, 500_000, 1_000_000, 1_500_000]);
    expect(niceTicks(0)).toEqual([0, 1]);
  });
  it('leaves zero out where sizes lie far above it', () => {
    const { low, high } = niceRange([990, 1000, 1010], false);
    expect(low).toBeGreaterThan(900);
    expect(low).toBeLessThan(990);
    expect(high).toBeGreaterThanOrEqual(1010);
    expect(niceRange([0, 4], false).low).toBe(0);
    expect(niceRange([990, 1000], true).low).toBe(0);
  });
});

describe('places', () => {
  it('spreads points over the width and values over the height', () => {
    expect(xOf(0, 3, box)).toBe(10);
    expect(xOf(2, 3, box)).toBe(110);
    expect(xOf(0, 1, box)).toBe(60);
    expect(yOf(0, 0, 10, box)).toBe(55);
    expect(yOf(10, 0, 10, box)).toBe(5);
  });
  it('finds the point under a pointer', () => {
    expect(nearest(-50, 5, box)).toBe(0);
    expect(nearest(61, 5, box)).toBe(2);
    expect(nearest(500, 5, box)).toBe(4);
  });
  it('thins the words under the axis and keeps the last', () => {
    const wide: Box = { ...box, width: 320 };
    const three = ['11-01', '11-02', '11-03'];
    expect(axisWords(three, wide).map((word) => word.at)).toEqual([0, 1, 2]);
    expect(axisWords([], wide)).toEqual([]);
    expect(axisWords(['2026-11-22'], wide)).toEqual([{ at: 0, x: 160, anchor: 'middle' }]);
  });
  it.each([320, 390, 700, 1100])('keeps two years of months apart at a width of %i', (width) => {
    const months = Array.from(
      { length: 24 },
      (_, at) => `${2024 + Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, '0')}-28`,
    );
    const wide: Box = { ...box, width, left: 44, right: 14 };
    const words = axisWords(months, wide);
    expect(words.at(-1)?.at).toBe(23);
    const edges = words.map(({ at, x, anchor }) => {
      const size = wordWidth(months[at]!);
      const from = x - { start: 0, middle: size / 2, end: size }[anchor];
      return { from, to: from + size };
    });
    for (const [at, edge] of edges.entries()) {
      expect(edge.from).toBeGreaterThanOrEqual(0);
      expect(edge.to).toBeLessThanOrEqual(width);
      if (at > 0) expect(edge.from).toBeGreaterThan(edges[at - 1]!.to + 8);
    }
  });
});

it('takes Chinese words as wider', () => {
  expect(wordWidth('20万')).toBeGreaterThan(wordWidth('200'));
});

it('draws lines and closes areas', () => {
  const points = [
    { x: 0, y: 1.26 },
    { x: 5, y: 2 },
  ];
  expect(linePath(points)).toBe('M0 1.3L5 2');
  expect(areaPath(points, 9)).toBe('M0 1.3L5 2L5 9L0 9Z');
  expect(areaPath([], 9)).toBe('');
});

it('lays series on each other', () => {
  expect(
    stack([
      [1, 2],
      [3, 4],
    ]),
  ).toEqual([
    [
      { low: 0, high: 1 },
      { low: 0, high: 2 },
    ],
    [
      { low: 1, high: 4 },
      { low: 2, high: 6 },
    ],
  ]);
});
