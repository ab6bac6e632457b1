import { describe, expect, it } from 'vitest';
import type { HomeLink } from '@/api';
import {
  addMonths,
  amountOf,
  changeOf,
  channelOrders,
  cohortMembers,
  greetingAt,
  isPartial,
  monthSpan,
  narrowed,
  repeatBuyers,
  spanOf,
  withoutSpan,
} from './figures';

const status = { field: 'status', op: 'in', value: ['confirmed', 'completed'] } as const;
const orders: HomeLink = {
  object: 'order',
  where: {
    all: [
      { field: 'placed_at', op: 'between', value: ['2026-10-24', '2026-11-22'] },
      { ...status, value: [...status.value] },
    ],
  },
};

describe('figures', () => {
  it('compares with the span before, if it had anything', () => {
    expect(changeOf(112, 100)).toBeCloseTo(0.12);
    expect(changeOf(5, 0)).toBeNull();
    expect(changeOf(14_906, 10), 'the first days of the data').toBeNull();
    expect(changeOf(null, 3)).toBeNull();
    expect(amountOf({ amount: '12.50', currency: 'CNY' })).toBe(12.5);
    expect(amountOf(null)).toBe(0);
  });
  it('greets by the hour', () => {
    expect([0, 5, 11, 13, 18, 23].map(greetingAt)).toEqual([
      'night',
      'morning',
      'noon',
      'afternoon',
      'evening',
      'evening',
    ]);
  });
});

describe('links', () => {
  it('reads and narrows the days of a link', () => {
    expect(spanOf(orders.where)).toEqual({ from: '2026-10-24', to: '2026-11-22' });
    expect(spanOf({ field: 'a', op: '=', value: 1 })).toBeNull();
    expect(narrowed(orders.where!, { from: '2026-11-01', to: '2026-11-07' })).toEqual({
      all: [{ field: 'placed_at', op: 'between', value: ['2026-11-01', '2026-11-07'] }, status],
    });
    expect(narrowed({ field: 'at', op: 'within_last', value: { days: 30 } }, { from: 'a', to: 'b' })).toEqual({
      field: 'at',
      op: 'between',
      value: ['a', 'b'],
    });
  });
  it('asks for buyers who came back', () => {
    expect(withoutSpan(orders.where)).toEqual(status);
    expect(repeatBuyers(orders)).toEqual({
      all: [
        {
          record: 'order',
          aggregate: 'count',
          op: '>=',
          value: 1,
          within: { from: '2026-10-24', to: '2026-11-22' },
          where: status,
        },
        { trait: 'orders', op: '>=', value: 2 },
      ],
    });
    expect(repeatBuyers({ object: 'order', where: null })).toBeNull();
  });
  it('adds the channel', () => {
    expect(channelOrders(orders, 'chn_1')).toEqual({
      all: [orders.where, { field: 'channel', op: 'in', value: ['chn_1'] }],
    });
    expect(channelOrders(orders, ''), 'orders that came through none').toEqual({
      all: [orders.where, { field: 'channel', op: 'is_not_set' }],
    });
  });
});

describe('cohorts', () => {
  it('counts months over the turn of the year', () => {
    expect(addMonths('2010-12', 2)).toBe('2011-02');
    expect(monthSpan('2024-02')).toEqual({ from: '2024-02-01', to: '2024-02-29' });
  });
  it('asks for a month, and for those who came back in a later one', () => {
    expect(cohortMembers('2026-09', 0, orders)).toEqual({
      trait: 'first_order_day',
      op: 'between',
      value: ['2026-09-01', '2026-09-30'],
    });
    expect(cohortMembers('2026-09', 2, orders)).toMatchObject({
      all: [{}, { within: { from: '2026-11-01', to: '2026-11-30' } }],
    });
  });
  it('marks the month that is not over', () => {
    expect(isPartial('2026-11', '2026-11-22')).toBe(true);
    expect(isPartial('2026-10', '2026-11-22')).toBe(false);
    expect(isPartial('2026-11', '2026-11-30')).toBe(false);
  });
});
