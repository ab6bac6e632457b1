import { queryOptions } from '@tanstack/react-query';
import { api } from './client';

export interface EventName {
  name: string;
  count: number;
  last_at: string;
}
export interface EventColumn {
  key: string;
  type: 'text' | 'region' | 'number' | 'money';
}
export interface EventProperty {
  key: string;
  type: 'text' | 'number' | 'bool';
  /** Texts that several events share. */
  values: string[];
}
export interface EventNames {
  items: EventName[];
  columns: EventColumn[];
}

/** What conditions about events may speak of, as it was seen in the last year. */
export const eventNamesQuery = () =>
  queryOptions({
    queryKey: ['behaviour', 'names'],
    queryFn: ({ signal }) => api.get<EventNames>('/conditions/events', { signal }),
    staleTime: 60_000,
  });
export const eventPropertiesQuery = (event: string) =>
  queryOptions({
    queryKey: ['behaviour', 'properties', event],
    queryFn: ({ signal }) =>
      api.get<{ items: EventProperty[] }>('/conditions/events/properties', { query: { event }, signal }),
    enabled: event !== '' && event !== '*',
    staleTime: 60_000,
  });
