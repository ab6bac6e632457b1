import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Items, Money, Segment } from './types';

export const WEB_DIMENSIONS = [
  'channel',
  'campaign',
  'utm_source',
  'utm_medium',
  'referrer',
  'entry',
  'exit',
  'device',
  'browser',
  'os',
  'language',
  'country',
  'region',
  'host',
] as const;
export type WebDimension = (typeof WEB_DIMENSIONS)[number];

/** What every report is asked with; a filter names dimensions, `through` (a source) and `segment`. */
export interface WebAsk {
  from: string;
  to: string;
  filter: Record<string, string>;
  goal: string;
}
export interface WebTotals {
  visitors: number;
  visits: number;
  views: number;
  events: number;
  bounced: number;
  engaged: number;
  seconds: number;
  engaged_seconds: number;
  converters: number;
  orders: number;
  amount: Money;
}
export interface WebBucket {
  day: string;
  at?: string;
  visitors: number;
  visits: number;
  views: number;
}
export interface WebOverview {
  any: boolean;
  before_span: { from: string; to: string };
  now: WebTotals;
  before: WebTotals;
  trend: WebBucket[];
  past: WebBucket[];
  as_of: string;
  lag_seconds: number;
}
export type WebRow = WebTotals & { value: string };
export interface WebList<T> {
  items: T[];
  more: boolean;
}
export interface WebPage {
  host: string;
  path: string;
  title: string;
  views: number;
  visitors: number;
  entries: number;
  exits: number;
  bounced: number;
  dwell_seconds: number;
}
export interface WebEvent {
  name: string;
  count: number;
  visitors: number;
  amount: Money;
}
export const WEB_OPS = ['=', '!=', 'contains', 'starts_with', 'is_set', '>', '>=', '<', '<='] as const;
export type WebOp = (typeof WEB_OPS)[number];
export interface WebMatch {
  property: string;
  op: WebOp;
  value?: string;
}
export interface WebStep {
  event: string;
  path?: string;
  where?: WebMatch[];
}
export interface WebFunnel {
  steps: WebStep[];
  window_days: number;
  by?: string;
}
export interface WebReached {
  step: number;
  group?: string;
  count: number;
  median_seconds: number;
}
export interface WebFunnelResult {
  steps: WebReached[];
  groups: WebReached[];
}
export interface WebSavedFunnel {
  id: string;
  name: string;
  funnel: WebFunnel;
  version: number;
  edit: boolean;
  updated_at: string;
}
export interface WebPaths {
  nodes: 'pages' | 'events' | 'both';
  node?: string;
  backward?: boolean;
  depth: number;
  top: number;
}
export interface WebNode {
  name: string;
  rest?: boolean;
}
export interface WebLink {
  step: number;
  from: WebNode;
  to: WebNode | null;
  count: number;
}
export interface WebRetention {
  start: string;
  return: string;
  period: 'day' | 'week' | 'month';
}
export interface WebCohort {
  from: string;
  size: number;
  active: number[];
}
export interface WebBehind {
  figure: 'visits' | 'page' | 'event' | 'step' | 'cohort' | 'way';
  only?: 'bounced' | 'engaged' | 'converted';
  host?: string;
  path?: string;
  event?: string;
  funnel?: WebFunnel;
  step?: number;
  lost?: boolean;
  group?: string;
  retention?: WebRetention;
  cohort?: string;
  period?: number;
  paths?: WebPaths;
  from?: string;
  to?: string;
  ended?: boolean;
}
export interface WebVisitor {
  id: string;
  visits: number;
  views: number;
  first_at: string | null;
  last_at: string | null;
  channel: string;
  device: string;
  country: string;
  region: string;
}
export interface WebPeople {
  customers: number | null;
  anonymous: number | null;
  items: { id: string; title: string; subtitle: string }[];
  visitors: WebVisitor[];
  closed: boolean;
  next_cursor: string | null;
}

/** How many rows a file holds at most. */
export const WEB_ROWS = 10_000;
const FRESH = 30_000;

const report = <T>(name: string, body: object) =>
  queryOptions({
    queryKey: ['web', name, body],
    queryFn: ({ signal }) => api.post<T>(`/web/${name}`, body, { signal }),
    placeholderData: (old) => old,
    staleTime: FRESH,
    retry: false,
  });

export const webOverviewQuery = (ask: WebAsk, by: 'day' | 'hour') => report<WebOverview>('overview', { ...ask, by });
export const webBreakdownQuery = (ask: WebAsk, by: WebDimension, limit: number) =>
  report<WebList<WebRow>>('breakdown', { ...ask, by, limit });
export const webPagesQuery = (ask: WebAsk, limit: number) => report<WebList<WebPage>>('pages', { ...ask, limit });
export const webEventsQuery = (ask: WebAsk, limit: number) => report<WebList<WebEvent>>('events', { ...ask, limit });
export const webFunnelQuery = (ask: WebAsk, funnel: WebFunnel) =>
  report<WebFunnelResult>('funnel', { ...ask, ...funnel });
export const webPathsQuery = (ask: WebAsk, paths: WebPaths) => report<Items<WebLink>>('paths', { ...ask, ...paths });
export const webRetentionQuery = (ask: WebAsk, retention: WebRetention) =>
  report<Items<WebCohort>>('retention', { ...ask, ...retention });

export const webPeopleQuery = (ask: WebAsk, behind: WebBehind, anonymous: boolean) =>
  infiniteQueryOptions({
    queryKey: ['web', 'people', ask, behind, anonymous],
    queryFn: ({ pageParam, signal }) =>
      api.post<WebPeople>('/web/people', { ...ask, behind, anonymous, cursor: pageParam, limit: 50 }, { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    staleTime: FRESH,
    retry: false,
  });

export const saveWebSegment = (ask: WebAsk, behind: WebBehind, label: string) =>
  api.post<Segment>('/web/segments', { ...ask, behind, label });

export const webFunnelsQuery = () =>
  queryOptions({
    queryKey: ['web', 'funnels'],
    queryFn: ({ signal }) => api.get<Items<WebSavedFunnel>>('/web/funnels', { signal }),
  });
export const saveWebFunnel = (name: string, funnel: WebFunnel, was?: WebSavedFunnel) =>
  was === undefined
    ? api.post<WebSavedFunnel>('/web/funnels', { name, funnel })
    : api.patch<WebSavedFunnel>(`/web/funnels/${was.id}`, { name, funnel, version: was.version });
export const deleteWebFunnel = (id: string) => api.delete(`/web/funnels/${id}`);
