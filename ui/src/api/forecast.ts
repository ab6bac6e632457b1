import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Money, Ref } from './types';
import type { HomeLink } from './types-insight';

export const FORECAST_FIGURES = ['revenue', 'orders', 'customers', 'quantity'] as const;
export type ForecastFigure = (typeof FORECAST_FIGURES)[number];
export const FORECAST_PERIODS = ['day', 'week', 'month'] as const;
export type ForecastPeriod = (typeof FORECAST_PERIODS)[number];
export const FORECAST_DIMENSIONS = ['channel', 'store', 'region', 'category', 'brand', 'product'] as const;
export type ForecastDimension = (typeof FORECAST_DIMENSIONS)[number];

export interface ForecastAsk {
  figure: ForecastFigure;
  period: ForecastPeriod;
  /** Empty: the total. */
  dimension: ForecastDimension | '';
  value: string;
  horizon: number;
}
export interface ForecastKnown {
  from: string;
  to: string;
  value: number;
  fitted: number | null;
  partial: boolean;
  holidays: string[];
}
export interface ForecastAhead {
  from: string;
  to: string;
  mean: number;
  low80: number;
  high80: number;
  low95: number;
  high95: number;
  holidays: string[];
}
export interface ForecastError {
  method: string;
  smape: number;
  mase: number;
}
export interface Forecast {
  figure: ForecastFigure;
  dimension: ForecastDimension | '';
  value: string;
  title: string;
  period: ForecastPeriod;
  currency: string;
  anchor: string;
  known: ForecastKnown[];
  ahead: ForecastAhead[];
  method: string;
  errors: ForecastError[];
  peer: ForecastError | null;
  origins: number;
  cover80: number | null;
  cover95: number | null;
  learned: number;
  calendar: boolean;
  effects: { holiday: string; factor: number; seen: number }[];
  notes: string[];
  sum: number;
  before: number | null;
  took_ms: number;
  behind: HomeLink;
}
export interface ForecastValue {
  key: string;
  title: string;
  revenue: Money;
}

export const forecastQuery = (ask: ForecastAsk) =>
  queryOptions({
    queryKey: ['forecast', ask],
    queryFn: ({ signal }) =>
      api.get<Forecast>(`/forecast?${new URLSearchParams({ ...ask, horizon: String(ask.horizon) }).toString()}`, {
        signal,
      }),
    staleTime: 60_000,
    placeholderData: (before) => before,
  });

export const forecastValuesQuery = (dimension: ForecastDimension | '') =>
  queryOptions({
    queryKey: ['forecast', 'values', dimension],
    queryFn: ({ signal }) => api.get<{ items: ForecastValue[] }>(`/forecast/values?dimension=${dimension}`, { signal }),
    enabled: dimension !== '',
    staleTime: 60_000,
  });

export interface ForecastSaid {
  from: string;
  to: string;
  made: string;
  method: string;
  mean: number;
  low80: number;
  high80: number;
  low95: number;
  high95: number;
  came: number | null;
  odd: boolean;
}
export interface ForecastWatch {
  id: string;
  figure: ForecastFigure;
  dimension: ForecastDimension | '';
  value: string;
  title: string;
  period: ForecastPeriod;
  currency: string;
  error: number | null;
  odd: number;
  said: ForecastSaid[];
  behind: HomeLink;
  /** Who watches it; null for a person who is no more. */
  by: Ref | null;
  told: Ref[];
}

export const forecastWatchesQuery = () =>
  queryOptions({
    queryKey: ['forecast', 'watches'],
    queryFn: ({ signal }) => api.get<{ items: ForecastWatch[] }>('/forecast/watches', { signal }),
    staleTime: 60_000,
  });

export const tellForecast = (id: string, told: string[]) => api.patch<unknown>(`/forecast/watches/${id}`, { told });
export const watchForecast = ({ figure, dimension, value, period }: ForecastAsk) =>
  api.post<{ id: string }>('/forecast/watches', { figure, dimension, value, period });

export const unwatchForecast = (id: string) => api.delete(`/forecast/watches/${id}`);

export const WHY_FIGURES = ['revenue', 'orders', 'customers', 'basket', 'quantity'] as const;
export type WhyFigure = (typeof WHY_FIGURES)[number];
export interface WhyAsk {
  figure: WhyFigure;
  from: string;
  to: string;
  before_from: string;
  before_to: string;
  first: string;
  second: string;
}
export interface WhyPart {
  kind: 'value' | 'other' | 'rest';
  keys: string[];
  titles: string[];
  now: number;
  before: number;
  change: number;
  mix: number;
  rate: number;
  values: number;
  behind: HomeLink | null;
}
export interface WhySplit {
  dimensions: ForecastDimension[];
  parts: WhyPart[];
  mixed: boolean;
  weight: string;
  volume: number;
  mix: number;
  rate: number;
  rest: number;
  focus: number;
}
export interface Why {
  figure: WhyFigure;
  currency: string;
  from: string;
  to: string;
  before_from: string;
  before_to: string;
  now: number;
  before: number;
  change: number;
  drivers: { key: string; money: boolean; now: number; before: number; change: number }[];
  splits: WhySplit[];
  pair: WhySplit | null;
  empty: boolean;
  behind: HomeLink;
  anchor: string;
}

/** Empty days: the last thirty against the thirty before. */
export const whyQuery = (ask: WhyAsk) =>
  queryOptions({
    queryKey: ['why', ask],
    queryFn: ({ signal }) =>
      api.get<Why>(`/why?${new URLSearchParams(Object.entries(ask).filter(([, value]) => value !== '')).toString()}`, {
        signal,
      }),
    staleTime: 60_000,
    placeholderData: (before) => before,
  });
