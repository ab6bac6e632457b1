import { queryOptions } from '@tanstack/react-query';
import { api } from './client';

export interface SeenEvent {
  name: string;
  count: number;
  last_at: string;
}
export interface SeenColumn {
  key: string;
  type: 'text' | 'region' | 'number' | 'money';
}
export interface SeenProperty {
  key: string;
  type: 'text' | 'number' | 'bool';
  /** Texts that several events share. */
  values: string[];
}
export interface SeenEvents {
  items: SeenEvent[];
  columns: SeenColumn[];
}

/** What conditions about events may speak of, as it was seen in the last year. */
export const seenEventsQuery = () =>
  queryOptions({
    queryKey: ['behaviour', 'names'],
    queryFn: ({ signal }) => api.get<SeenEvents>('/conditions/events', { signal }),
    staleTime: 60_000,
  });
export const seenPropertiesQuery = (event: string) =>
  queryOptions({
    queryKey: ['behaviour', 'properties', event],
    queryFn: ({ signal }) =>
      api.get<{ items: SeenProperty[] }>('/conditions/events/properties', { query: { event }, signal }),
    enabled: event !== '' && event !== '*',
    staleTime: 60_000,
  });
