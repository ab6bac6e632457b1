import { expect, it } from 'vitest';
import { monthOf, stepOf, weekOf } from './spans';

it('takes weeks from Monday and months in whole weeks', () => {
  expect(weekOf('2026-11-22')).toEqual([
    '2026-11-16',
    '2026-11-17',
    '2026-11-18',
    '2026-11-19',
    '2026-11-20',
    '2026-11-21',
    '2026-11-22',
  ]);
  const november = monthOf('2026-11-22');
  expect([november[0], november.at(-1), november.length]).toEqual(['2026-10-26', '2026-12-06', 42]);
  expect(stepOf('2026-01-31', 'month', 1)).toBe('2026-02-28');
  expect(stepOf('2026-12-15', 'month', 1)).toBe('2027-01-15');
  expect(stepOf('2026-11-22', 'week', -1)).toBe('2026-11-15');
});
