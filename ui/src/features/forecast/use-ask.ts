import { useNavigate, useSearch } from '@tanstack/react-router';
import {
  FORECAST_DIMENSIONS,
  FORECAST_FIGURES,
  FORECAST_PERIODS,
  type ForecastAsk,
  type ForecastDimension,
  type ForecastPeriod,
} from '@/api';

/** How far ahead may be looked. */
export const HORIZONS: Record<ForecastPeriod, readonly number[]> = {
  day: [14, 28, 90],
  week: [4, 13, 26],
  month: [3, 6, 12],
};

/** What is asked stands in the address. */
export function useAsk() {
  const raw = useSearch({ strict: false }) as Record<string, string | number | undefined>;
  const navigate = useNavigate();
  const period = FORECAST_PERIODS.find((one) => one === raw.period) ?? 'month';
  const dimension: ForecastDimension | '' = FORECAST_DIMENSIONS.find((one) => one === raw.dimension) ?? '';
  const ask: ForecastAsk = {
    figure: FORECAST_FIGURES.find((one) => one === raw.figure) ?? 'revenue',
    period,
    dimension: raw.value === undefined ? '' : dimension,
    value: dimension === '' ? '' : String(raw.value ?? ''),
    horizon: HORIZONS[period].find((one) => one === raw.ahead) ?? (HORIZONS[period][1] as number),
  };
  const go = (change: Record<string, string | number | undefined>) => {
    const next = Object.fromEntries(Object.entries({ ...raw, ...change }).filter(([, value]) => value !== undefined));
    navigate({ to: '/forecast', search: next, replace: true, resetScroll: false });
  };
  return { ask, dimension, go };
}
