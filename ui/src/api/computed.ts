import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { LifecycleRows, Window } from './conditions';
import type { Items, Label, TraitType } from './types';

export const FIGURE_KINDS = [
  'counter',
  'days',
  'time_since',
  'sum',
  'average',
  'min',
  'max',
  'first',
  'last',
  'most_frequent',
  'unique_list',
  'unique_count',
] as const;
export type FigureKind = (typeof FIGURE_KINDS)[number];

/** What is worked out about each customer from the events or records of `of`. */
export interface TraitFigure {
  of: LifecycleRows & { within?: Window };
  kind: FigureKind;
  field?: string;
  number?: boolean;
}
export interface ComputedTrait {
  key: string;
  label: Label;
  description: Label;
  figure: TraitFigure;
  type: TraitType;
  sentence: Label;
  version: number;
  created_at: string;
  updated_at: string;
  broken: string | null;
}
export interface ComputedInput {
  key?: string;
  label: Label;
  description: Label;
  figure: TraitFigure;
}
export interface TraitPreview {
  type: TraitType;
  sentence: Label;
  value: unknown;
  rows: { title: string; at: string; value: unknown }[];
  sampled: number;
  having: number;
  low: unknown;
  middle: unknown;
  high: unknown;
  common: { text: unknown; count: number }[];
  seconds: number;
}
export interface TraitPass {
  at: string;
  kind: 'full' | 'computed';
  anchor: string;
  customers: number;
  seconds: number;
  verified: boolean;
  differing: number;
}
export interface TraitUse {
  kind: 'segment' | 'class' | 'view' | 'rule';
  key: string;
  name: string;
}

export const computedTraitsQuery = () =>
  queryOptions({
    queryKey: ['traits', 'computed'],
    queryFn: ({ signal }) => api.get<Items<ComputedTrait>>('/traits/computed', { signal }),
  });
export const computedTraitQuery = (key: string) =>
  queryOptions({
    queryKey: ['traits', 'computed', key],
    queryFn: ({ signal }) => api.get<ComputedTrait>(`/traits/computed/${key}`, { signal }),
  });
export const traitUsesQuery = (key: string) =>
  queryOptions({
    queryKey: ['traits', 'computed', key, 'uses'],
    queryFn: ({ signal }) => api.get<Items<TraitUse>>(`/traits/computed/${key}/uses`, { signal }),
  });
export const traitPassesQuery = () =>
  queryOptions({
    queryKey: ['traits', 'passes'],
    queryFn: ({ signal }) => api.get<Items<TraitPass>>('/traits/passes', { signal }),
  });
export const traitPreviewQuery = (figure: TraitFigure, customer: string) =>
  queryOptions({
    queryKey: ['traits', 'preview', figure, customer],
    queryFn: ({ signal }) =>
      api.post<TraitPreview>('/traits/computed/preview', { figure, ...(customer !== '' && { customer }) }, { signal }),
    placeholderData: (old) => old,
    retry: false,
  });

export function useSaveComputed() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, version, input }: { key?: string; version?: number; input: ComputedInput }) =>
      key === undefined
        ? api.post<ComputedTrait>('/traits/computed', input)
        : api.patch<ComputedTrait>(`/traits/computed/${key}`, input, { ifMatch: version }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['traits'] }),
  });
}
export function useDeleteComputed() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => api.delete(`/traits/computed/${key}`),
    // Not the deleted one: its page may still be there for a moment, and would ask in vain.
    onSuccess: (_, key) =>
      client.invalidateQueries({ queryKey: ['traits'], predicate: ({ queryKey }) => queryKey[2] !== key }),
  });
}
