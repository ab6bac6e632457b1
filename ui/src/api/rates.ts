import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';

/** What one unit of a currency is worth in the base currency from a day on; the rate is a decimal text. */
export interface ExchangeRate {
  currency: string;
  from: string;
  rate: string;
}

export interface ExchangeRates {
  base: string;
  rates: ExchangeRate[];
}

export const ratesQuery = () =>
  queryOptions({ queryKey: ['rates'], queryFn: ({ signal }) => api.get<ExchangeRates>('/rates', { signal }) });

export function useSaveRates() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (rates: ExchangeRate[]) => api.patch<ExchangeRates>('/rates', { rates }),
    onSuccess: () => client.invalidateQueries(),
  });
}
