import { expect, it } from 'vitest';
import type { Field, ObjectType } from '@/api';
import { addMonths, dayOfValue, daysShown, isDay, onDay, turn, usualDate } from './days';

it('shows whole weeks from Monday', () => {
  const month = daysShown('month', '2026-11-22');
  expect(month[0]).toBe('2026-10-26');
  expect(month.at(-1)).toBe('2026-12-06');
  expect(month.length % 7).toBe(0);
  expect(daysShown('month', '2027-02-10')).toHaveLength(28);
  expect(daysShown('week', '2026-11-22')).toEqual([
    '2026-11-16',
    '2026-11-17',
    '2026-11-18',
    '2026-11-19',
    '2026-11-20',
    '2026-11-21',
    '2026-11-22',
  ]);
  expect(daysShown('agenda', '2028-02-05')).toHaveLength(29);
});

it('turns pages', () => {
  expect(addMonths('2026-12-31', 1)).toBe('2027-01-01');
  expect(turn('month', '2026-01-31', -1)).toBe('2025-12-01');
  expect(turn('week', '2026-11-22', 1)).toBe('2026-11-29');
  expect(isDay('2026-11-22')).toBe(true);
  expect(isDay('2026-13-41')).toBe(false);
  expect(isDay(undefined)).toBe(false);
});

const dated = (key: string, type: Field['type'], access: Field['access'] = 'write') =>
  ({ key, type, access, label: {}, read_only: false, operation_only: false }) as unknown as Field;

it('keeps the time of day on another day, over a change of the clock too', () => {
  const at = dated('at', 'datetime');
  expect(dayOfValue('2026-11-21T17:30:15.250Z', at, 'Asia/Shanghai')).toBe('2026-11-22');
  expect(onDay('2026-11-21T17:30:15.250Z', at, '2026-11-25', 'Asia/Shanghai')).toBe('2026-11-24T17:30:15.250Z');
  // 9:00 in Berlin is 8:00 in winter and 7:00 in summer.
  expect(onDay('2026-03-28T08:00:00Z', at, '2026-03-30', 'Europe/Berlin')).toBe('2026-03-30T07:00:00.000Z');
  expect(onDay('2026-11-21', dated('on', 'date'), '2026-12-01', 'UTC')).toBe('2026-12-01');
});

it('chooses the date that says most', () => {
  const object = (fields: Field[], sort: string[]) =>
    ({ fields, default_sort: sort.map((field) => ({ field })), actions: { update: true } }) as unknown as ObjectType;
  const created = dated('created_at', 'datetime', 'read');
  expect(usualDate(object([created, dated('paid', 'date'), dated('placed', 'datetime')], ['placed']))?.key).toBe(
    'placed',
  );
  expect(usualDate(object([created, dated('paid', 'date')], ['created_at']))?.key).toBe('paid');
  expect(usualDate(object([created], []))?.key).toBe('created_at');
  expect(usualDate(object([], []))).toBeNull();
});
