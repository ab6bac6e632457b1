import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { WEB_DIMENSIONS, type WebAsk, type WebBehind, type WebFunnel, type WebPaths, type WebRetention } from '@/api';
import { useFormat } from '@/i18n';
import { addDays, daysBetween } from '@/lib/day';

export const TABS = ['overview', 'sources', 'pages', 'events', 'funnel', 'paths', 'retention'] as const;
export type WebTab = (typeof TABS)[number];
export const SPANS = [1, 7, 30, 90, 365] as const;

/** Who stands behind a figure, with what narrows the question to it. */
export interface Who {
  behind: WebBehind;
  filter?: Record<string, string>;
  from?: string;
  to?: string;
  goal?: string;
}
export interface WebSearch {
  tab?: WebTab;
  days?: number;
  from?: string;
  to?: string;
  filter?: Record<string, string>;
  goal?: string;
  by?: string;
  hour?: boolean;
  funnel?: WebFunnel;
  paths?: WebPaths;
  back?: WebRetention;
  who?: Who;
}

/** What is to be another; undefined takes it out of the address. */
type Change = { [K in keyof WebSearch]?: WebSearch[K] | undefined };

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const FILTERS = new Set<string>([...WEB_DIMENSIONS, 'segment', 'through']);

const isText = (value: unknown): value is string => typeof value === 'string';
const cleanFilter = (raw: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(typeof raw === 'object' && raw !== null ? raw : {}).flatMap(([key, value]) =>
      FILTERS.has(key) && (isText(value) || typeof value === 'number') ? [[key, String(value)]] : [],
    ),
  );

export interface Web {
  search: WebSearch;
  tab: WebTab;
  ask: WebAsk;
  /** How many days; undefined for a span of one's own. */
  days: number | undefined;
  go: (change: Change, push?: boolean) => void;
}

/** Everything a page of this feature shows stands in its address. */
export function useWeb(): Web {
  const raw = useSearch({ strict: false }) as WebSearch;
  const navigate = useNavigate();
  const today = useFormat().today();
  return useMemo(() => {
    const own = DAY.test(raw.from ?? '') && DAY.test(raw.to ?? '') && (raw.from ?? '') <= (raw.to ?? '');
    const days = own ? undefined : Math.min(raw.days ?? 30, 731);
    const to = own ? (raw.to as string) : today;
    const from = own ? (raw.from as string) : addDays(today, 1 - (days ?? 30));
    return {
      search: raw,
      tab: TABS.find((tab) => tab === raw.tab) ?? 'overview',
      ask: { from, to, filter: cleanFilter(raw.filter), goal: isText(raw.goal) ? raw.goal : '' },
      days,
      go: (change, push = false) => {
        const next = Object.fromEntries(
          Object.entries({ ...raw, ...change }).filter(([, value]) => value !== undefined && value !== ''),
        );
        navigate({ to: '/web', search: next, replace: !push, resetScroll: false });
      },
    };
  }, [raw, navigate, today]);
}

export const daysOf = (ask: WebAsk): number => daysBetween(ask.from, ask.to) + 1;
