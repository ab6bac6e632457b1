import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Condition } from '@/api';
import { useFormat } from '@/i18n';
import { addDays, daysBetween } from '@/lib/day';

export const SPANS = [30, 90, 180, 365] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export interface Search {
  days?: number;
  from?: string;
  to?: string;
  channel?: string;
  product?: string;
  store?: string;
  topic?: string;
}
export const NARROW = ['channel', 'product', 'store'] as const;
export type Narrow = (typeof NARROW)[number];

export type Step = 'day' | 'week' | 'month';
/** How wide the spans of a chart over so many days are. */
export function stepOf(days: number): Step {
  if (days <= 45) return 'day';
  return days <= 400 ? 'week' : 'month';
}

/** What is asked stands in the address. */
export function useAsk() {
  const raw = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const today = useFormat().today();
  return useMemo(() => {
    const own = DAY.test(raw.from ?? '') && DAY.test(raw.to ?? '') && (raw.from ?? '') <= (raw.to ?? '');
    const days = own ? undefined : Math.min(Math.max(raw.days ?? 90, 1), 731);
    const to = own ? (raw.to as string) : today;
    const from = own ? (raw.from as string) : addDays(today, 1 - (days ?? 90));
    const length = daysBetween(from, to) + 1;
    const narrowed = NARROW.flatMap((field): Condition[] => {
      const value = raw[field];
      return value === undefined ? [] : [{ field, op: '=', value }];
    });
    const within = (first: string, last: string, more: Condition[] = []): Condition => ({
      all: [{ field: 'said_at', op: 'between', value: [first, last] }, ...narrowed, ...more],
    });
    const go = (change: { [K in keyof Search]: Search[K] | undefined }) => {
      const next = Object.fromEntries(
        Object.entries({ ...raw, ...change }).filter(([, value]) => value !== undefined && value !== ''),
      );
      navigate({ to: '/feedback', search: next, replace: true, resetScroll: false });
    };
    return {
      raw,
      from,
      to,
      days,
      length,
      step: stepOf(length),
      /** What is said in the span, and more that must hold. */
      where: (...more: Condition[]) => within(from, to, more),
      /** The same in the span of the same length before. */
      earlier: () => within(addDays(from, -length), addDays(from, -1)),
      go,
    };
  }, [raw, navigate, today]);
}
export type Ask = ReturnType<typeof useAsk>;
