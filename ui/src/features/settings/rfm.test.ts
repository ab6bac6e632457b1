import { expect, it } from 'vitest';
import { badCut, bands, isBarren, minorUnits } from './rfm';

it('turns cuts into bands, best first', () => {
  expect(bands([49, 120, 255, 464], 'r')).toEqual([
    { score: 5, low: null, high: 49 },
    { score: 4, low: 50, high: 120 },
    { score: 3, low: 121, high: 255 },
    { score: 2, low: 256, high: 464 },
    { score: 1, low: 465, high: null },
  ]);
  expect(bands([1, 2, 4, 7], 'f')[0]).toEqual({ score: 5, low: 8, high: null });
  expect(bands([1, 2, 4, 7], 'f')[4]).toEqual({ score: 1, low: null, high: 1 });
});

it('sees scores that nobody gets', () => {
  expect(
    bands([1, 1, 3, 5], 'f')
      .filter(isBarren)
      .map((band) => band.score),
  ).toEqual([2]);
});

it('wants ascending cuts', () => {
  expect(badCut([1, 2, 2, 9])).toBeNull();
  expect(badCut([1, 3, 2, 9])).toBe(2);
  expect(badCut([1, null, 2, 9])).toBe(1);
  expect(badCut([-1, 1, 2, 3])).toBe(0);
});

it('knows minor units', () => {
  expect(minorUnits('CNY')).toBe(100);
  expect(minorUnits('JPY')).toBe(1);
});
