import type { Condition, HomeLink } from '@/api';
import { useFormat } from '@/i18n';
import { isAll } from '@/records/conditions';

/** The list behind a figure, of some days only. */
export function onDays(link: HomeLink, from: string, to: string): Condition {
  const days: Condition = { field: 'placed_at', op: 'between', value: [from, to] };
  const { where } = link;
  if (where === null) return days;
  return { all: [days, ...(isAll(where) ? where.all : [where])] };
}

/** Money or a count, as words; small ones have digits after the point. */
export function useFigure(currency: string) {
  const fmt = useFormat();
  const text = (value: number): string =>
    currency === ''
      ? fmt.number(value, Math.abs(value) < 10 ? 1 : 0)
      : fmt.money({
          amount: String(Math.abs(value) < 1000 ? Math.round(value * 100) / 100 : Math.round(value)),
          currency,
        });
  const short = (value: number): string =>
    currency === ''
      ? fmt.compact(value)
      : fmt.money({ amount: String(Math.round(value)), currency }, { compact: true });
  const signed = (value: number): string => (value > 0 ? `+${text(value)}` : text(value));
  return { text, short, signed };
}

/** The change as a share; null where there is nothing to compare with. */
export const shareOf = (now: number, before: number | null): number | null =>
  before === null || before === 0 ? null : (now - before) / Math.abs(before);
