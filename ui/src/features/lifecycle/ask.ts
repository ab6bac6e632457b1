import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { LifecycleAsk, LifecycleStage } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { addDays } from '@/lib/day';

export const SPANS = [30, 90, 180, 365] as const;
export const WITHIN = [30, 90, 180, 365] as const;

interface Search {
  days?: number;
  by?: string;
  within?: number;
}

/** What is asked stands in the address. The span ends with the day of analysis, which the server knows. */
export function useAsk(anchor: string | undefined) {
  const raw = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  return useMemo(() => {
    const days = SPANS.find((span) => span === raw.days) ?? 90;
    const ask: LifecycleAsk = {
      classification: 'lifecycle',
      from: anchor === undefined ? '' : addDays(anchor, -days),
      to: anchor ?? '',
      within: WITHIN.find((span) => span === raw.within) ?? 90,
      by: raw.by === 'source' ? 'source' : 'month',
    };
    const go = (change: Search) =>
      navigate({ to: '.', search: { ...raw, ...change } as never, replace: true, resetScroll: false });
    return { ask, days, go };
  }, [raw, navigate, anchor]);
}

/** Days as people say them; without a number where not enough have left. */
export function useDays(): (days: number) => string {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  return (days) => (days < 0 ? '\u2013' : t('lifecycle:days', { count: days, shown: fmt.number(days) }));
}

export const totalOf = (stages: readonly LifecycleStage[]): number =>
  Math.max(
    1,
    stages.reduce((sum, each) => sum + each.now, 0),
  );
