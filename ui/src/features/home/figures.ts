import type { Condition, HomeLink, Money } from '@/api';
import { isAll, isAny, isField, isNot, isTrait } from '@/records/conditions';

/** A span with less than a hundredth of this one's sales is the edge of the data, not something to compare with. */
const FEWEST = 0.01;

/** The change against the span before, as a share of it; null where there is nothing to compare with. */
export function changeOf(now: number | null | undefined, before: number | null | undefined): number | null {
  if (now === null || now === undefined || before === null || before === undefined || before === 0) return null;
  return Math.abs(before) < Math.abs(now) * FEWEST ? null : (now - before) / Math.abs(before);
}

export const amountOf = (money: Money | null | undefined): number =>
  money === null || money === undefined ? 0 : Number(money.amount);

export type Greeting = 'night' | 'morning' | 'noon' | 'afternoon' | 'evening';
/** By the hour of the workspace's zone. */
export function greetingAt(hour: number): Greeting {
  if (hour < 5) return 'night';
  if (hour < 11) return 'morning';
  if (hour < 13) return 'noon';
  if (hour < 18) return 'afternoon';
  return 'evening';
}

export interface Span {
  from: string;
  to: string;
}
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const isDays = (value: unknown): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((day) => typeof day === 'string' && DAY.test(day));

const isSpan = (where: Condition): boolean =>
  (isField(where) || isTrait(where)) && ((where.op === 'between' && isDays(where.value)) || where.op === 'within_last');

/** The span of days that a link of the home page is about, where it names one. */
export function spanOf(where: Condition | null): Span | null {
  if (where === null) return null;
  if (isAll(where)) {
    for (const child of where.all) {
      const found = spanOf(child);
      if (found !== null) return found;
    }
    return null;
  }
  if ((isField(where) || isTrait(where)) && where.op === 'between' && isDays(where.value))
    return { from: where.value[0], to: where.value[1] };
  return null;
}

/** The same question about fewer days: what stands behind one point of the trend. */
export function narrowed(where: Condition, span: Span): Condition {
  if (isAll(where)) return { all: where.all.map((child) => narrowed(child, span)) };
  if (isAny(where)) return { any: where.any.map((child) => narrowed(child, span)) };
  if (isNot(where)) return { not: narrowed(where.not, span) };
  if (isSpan(where)) return { ...where, op: 'between', value: [span.from, span.to] } as Condition;
  return where;
}

/** What makes an order a purchase, without the days. */
export function withoutSpan(where: Condition | null): Condition | null {
  if (where === null || isSpan(where)) return null;
  if (!isAll(where)) return where;
  const rest = where.all.map(withoutSpan).filter((child): child is Condition => child !== null);
  if (rest.length === 0) return null;
  return rest.length === 1 ? (rest[0] as Condition) : { all: rest };
}

const both = (...parts: (Condition | null)[]): Condition => {
  const given = parts.filter((part): part is Condition => part !== null);
  return given.length === 1 ? (given[0] as Condition) : { all: given };
};

/** Purchases of one channel within the span; an empty key stands for those that came through none. */
export const channelOrders = (orders: HomeLink, channel: string): Condition =>
  both(
    orders.where,
    channel === '' ? { field: 'channel', op: 'is_not_set' } : { field: 'channel', op: 'in', value: [channel] },
  );

/** Customers who purchased within a span of days. */
const buyers = (orders: HomeLink, span: Span): Condition => {
  const purchase = withoutSpan(orders.where);
  return {
    record: 'order',
    aggregate: 'count',
    op: '>=',
    value: 1,
    within: span,
    ...(purchase !== null && { where: purchase }),
  };
};

/** Those who purchased in the span and have purchased more than once: the numerator of the repurchase rate. */
export function repeatBuyers(orders: HomeLink): Condition | null {
  const span = spanOf(orders.where);
  return span === null ? null : both(buyers(orders, span), { trait: 'orders', op: '>=', value: 2 });
}

const lastDay = (month: string): string => {
  const [year = 0, index = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, index, 0)).toISOString().slice(0, 10);
};
export function addMonths(month: string, count: number): string {
  const [year = 0, index = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, index - 1 + count, 1)).toISOString().slice(0, 7);
}
export const monthSpan = (month: string): Span => ({ from: `${month}-01`, to: lastDay(month) });

/** The customers of one month's cohort; with `later`, those of them who purchased so many months after it. */
export function cohortMembers(month: string, later: number, orders: HomeLink): Condition {
  const { from, to } = monthSpan(month);
  const members: Condition = { trait: 'first_order_day', op: 'between', value: [from, to] };
  return later === 0 ? members : both(members, buyers(orders, monthSpan(addMonths(month, later))));
}

/** Whether a month is not over on the day the data ends. */
export const isPartial = (month: string, anchor: string): boolean =>
  month === anchor.slice(0, 7) && anchor.slice(0, 10) < lastDay(month);
