import { expect, it } from 'vitest';
import { heatLevel } from './heat';

it('goes from nothing to the largest', () => {
  expect(heatLevel(0, 100)).toBe(0);
  expect(heatLevel(100, 100)).toBe(7);
  expect(heatLevel(500, 100)).toBe(7);
  expect(heatLevel(5, 0)).toBe(0);
  expect(heatLevel(Number.NaN, 10)).toBe(0);
});

it('never shows something as nothing, and grows with the value', () => {
  expect(heatLevel(1, 1_000_000)).toBe(1);
  const levels = [1, 5, 20, 40, 60, 80, 100].map((value) => heatLevel(value, 100));
  expect(levels).toEqual([...levels].sort((a, b) => a - b));
});

it('spreads by a root unless told not to', () => {
  expect(heatLevel(25, 100)).toBe(4);
  expect(heatLevel(25, 100, 'even')).toBe(2);
});
