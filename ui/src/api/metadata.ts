import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Items, ObjectType, Region, SearchHit, SystemState } from './types';

const LONG = 10 * 60_000;

export const objectsQuery = () =>
  queryOptions({
    queryKey: ['objects'],
    queryFn: ({ signal }) => api.get<Items<ObjectType>>('/objects', { signal }),
    staleTime: LONG,
  });

export const regionsQuery = () =>
  queryOptions({
    queryKey: ['regions'],
    queryFn: ({ signal }) => api.get<Items<Region>>('/regions', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });

export const searchQuery = (text: string, limit = 20) =>
  queryOptions({
    queryKey: ['search', text, limit],
    queryFn: ({ signal }) => api.get<Items<SearchHit>>('/search', { query: { q: text, limit }, signal }),
    enabled: text.trim() !== '',
    staleTime: 30_000,
    placeholderData: (old) => old,
  });

export const systemQuery = () =>
  queryOptions({
    queryKey: ['system'],
    queryFn: ({ signal }) => api.get<SystemState>('/system', { signal }),
    staleTime: 5_000,
  });
