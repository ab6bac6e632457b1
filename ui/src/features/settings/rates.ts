import type { ExchangeRate } from '@/api';

/** Rates by currency, the newest of each first. */
export const byCurrency = (rates: readonly ExchangeRate[]): ExchangeRate[] =>
  [...rates].sort((a, b) => a.currency.localeCompare(b.currency) || b.from.localeCompare(a.from));
