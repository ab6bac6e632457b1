import type { BirthdayValue } from '@/api';
import { isObject } from '../base/value-text';

export const asBirthday = (value: unknown): BirthdayValue | null =>
  isObject(value) && typeof value.month === 'number' ? (value as unknown as BirthdayValue) : null;
export const EMPTY: BirthdayValue = { calendar: 'solar', year: null, month: 1, day: 1, leap: false };
