import { describe, expect, it } from 'vitest';
import {
  areaPath,
  type Box,
  labelled,
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
    expect(labelled(30, 300, 60)).toEqual([5, 11, 17, 23, 29]);
    expect(labelled(3, 300, 60)).toEqual([0, 1, 2]);
    expect(labelled(0, 300, 60)).toEqual([]);
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
