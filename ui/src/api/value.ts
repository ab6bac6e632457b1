import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Condition } from './conditions';
import type { Label, Money, Ref } from './types';

export interface ValueFigures {
  customers: number;
  clv: Money;
  past: Money;
  orders: number;
}
export interface ValueGroup extends ValueFigures {
  key: string;
  label: Label | null;
  where: Condition;
}
export interface ValueGrouping {
  key: string;
  label: Label;
  groups: ValueGroup[];
}
/** What customers are worth; every figure comes with the condition that lists those behind it. */
export interface ValueOverview {
  anchor: string;
  all: ValueFigures;
  where: Condition;
  tenths: ValueGroup[];
  groupings: ValueGrouping[];
  loyalty: { judged: number; mean: number; loyal: number; where: Condition };
  referral: { referrers: number; referred: number; past: Money; where: Condition };
}
export interface ValuePart {
  key: string;
  /** Null where nothing records it. */
  amount: Money | null;
}
export interface ValueLedger {
  from: string;
  to: string;
  customers: number;
  orders: number;
  parts: ValuePart[];
  uncosted: number;
  uncosted_revenue: Money;
}
export interface ValueEarner {
  record: Ref;
  orders: number;
  revenue: Money;
  discounts: Money;
  returns: Money;
  cost: Money;
  profit: Money;
  uncosted: number;
}
export interface ValueProfit {
  now: ValueLedger;
  before: ValueLedger;
  best: ValueEarner[];
  worst: ValueEarner[];
}
export interface ValueMove {
  was: string;
  now: string;
  customers: number;
  value: Money;
}
export interface ValueMoves {
  from: string;
  to: string;
  groups: { key: string; label: Label }[];
  moves: ValueMove[];
}

const FRESH = { staleTime: 30_000 };

export const valueQuery = () =>
  queryOptions({
    queryKey: ['value'],
    queryFn: ({ signal }) => api.get<ValueOverview>('/value', { signal }),
    ...FRESH,
  });

export const valueProfitQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ['value', 'profit', from, to],
    queryFn: ({ signal }) =>
      api.get<ValueProfit>(`/value/profit?${new URLSearchParams({ from, to }).toString()}`, { signal }),
    placeholderData: (before) => before,
    ...FRESH,
  });

export const valueMovesQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ['value', 'moves', from, to],
    queryFn: ({ signal }) =>
      api.get<ValueMoves>(`/value/migration?${new URLSearchParams({ from, to }).toString()}`, { signal }),
    placeholderData: (before) => before,
    ...FRESH,
  });

export const valueMoversQuery = (from: string, to: string, was: string, now: string) =>
  queryOptions({
    queryKey: ['value', 'movers', from, to, was, now],
    queryFn: ({ signal }) =>
      api.get<{ customers: Ref[] }>(
        `/value/migration/customers?${new URLSearchParams({ from, to, was, now }).toString()}`,
        { signal },
      ),
    ...FRESH,
  });
