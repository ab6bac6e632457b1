import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Condition } from './conditions';
import { recordKeys } from './records';
import type { FigureQuery, Figures } from './types';

/** Counts and measures of everything that a condition finds, by groups. The answer before stays on screen meanwhile. */
export const figuresQuery = (object: string, query: FigureQuery) =>
  queryOptions({
    queryKey: [...recordKeys.object(object), 'figures', query] as const,
    queryFn: ({ signal }) => api.post<Figures>(`/records/${object}/aggregate`, query, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 15_000,
    gcTime: 60_000,
    retry: false,
  });

export const figuresKey = (object: string) => [...recordKeys.object(object), 'figures'] as const;

/** The part of a list's question that figures are about. */
export const figureScope = (where: Condition | null | undefined, search: string): FigureQuery => ({
  ...(where && { where }),
  ...(search !== '' && { search }),
});
