import { describe, expect, it } from 'vitest';
import { addDays, daysBetween, parseDay, utcToZoned, zonedToUtc } from './day';
import { createFormatter } from './format';

const zh = createFormatter({ locale: 'zh-CN', timeZone: 'Asia/Shanghai', currency: 'CNY' });
const en = createFormatter({ locale: 'en', timeZone: 'Europe/London', currency: 'GBP' });

describe('formatter', () => {
  it('shows money without empty decimals and with every digit of a decimal', () => {
    expect(zh.money({ amount: '578004.00', currency: 'CNY' })).toBe('¥578,004');
    expect(zh.money({ amount: '12.50', currency: 'CNY' })).toBe('¥12.50');
    expect(en.money({ amount: '9007199254740993.25', currency: 'GBP' })).toBe('£9,007,199,254,740,993.25');
    expect(zh.money(null)).toBe('');
  });
  it('puts instants into the workspace zone', () => {
    expect(zh.datetime('2026-11-11T17:30:00Z')).toBe('2026-11-12 01:30');
    expect(en.datetime('2026-11-11T17:30:00Z')).toBe('Nov 11, 2026 17:30');
    expect(zh.date('2026-11-11')).toBe('2026-11-11');
  });
  it('tells time relative to now by local days', () => {
    const now = new Date('2026-11-21T04:00:00Z');
    expect(zh.relative('2026-11-21T02:00:00Z', now)).toBe('2小时前');
    expect(zh.relative('2026-11-20T10:42:00Z', now)).toBe('昨天 18:42');
    expect(zh.relative('2026-11-15T10:42:00Z', now)).toBe('6天前');
    expect(zh.relative('2026-01-15T10:42:00Z', now)).toBe('2026-01-15');
  });
  it('shows shares, sizes and durations', () => {
    expect(zh.percent(0.376)).toBe('37.6%');
    expect(zh.bytes(1_234_567)).toBe('1.2 MB');
    expect(en.duration(75)).toBe('1 min 15 sec');
  });
});

describe('days', () => {
  it('reads the usual written forms and refuses days that do not exist', () => {
    expect(parseDay('2026/2/3')).toBe('2026-02-03');
    expect(parseDay('2026年11月1日')).toBe('2026-11-01');
    expect(parseDay('2026-02-30')).toBeNull();
  });
  it('counts over month ends', () => {
    expect(addDays('2026-02-27', 2)).toBe('2026-03-01');
    expect(daysBetween('2026-02-27', '2026-03-01')).toBe(2);
  });
  it('converts wall clocks through daylight saving', () => {
    expect(zonedToUtc('2026-07-01', '09:00', 'Europe/London')).toBe('2026-07-01T08:00:00Z');
    expect(utcToZoned('2026-07-01T08:00:00Z', 'Europe/London')).toEqual({ day: '2026-07-01', clock: '09:00' });
  });
});
