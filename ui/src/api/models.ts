import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items, Ref } from './types';

/** How often a model learns. */
export const REFITS = ['day', 'week', 'month', 'hand'] as const;
export type Refit = (typeof REFITS)[number];

export interface CardMeasure {
  key: string;
  label: string;
  help?: string;
  value: number;
  low?: number;
  high?: number;
  /** What a simple rule reaches on the same data. */
  peer?: number;
  peer_is?: string;
  better?: 'higher' | 'lower';
  share?: boolean;
}
export interface CardChart {
  key: string;
  label: string;
  help?: string;
  kind: 'bars' | 'lines';
  x: string[];
  series: { key: string; label: string; values: (number | null)[] }[];
}
export interface ModelCard {
  from?: string;
  until?: string;
  held_from?: string;
  held_until?: string;
  rows: number;
  parameters: { key: string; label: string; help?: string; value: number }[];
  measures: CardMeasure[];
  inputs: { key: string; label: string; weight: number; drift?: number }[];
  charts: CardChart[];
  notes: { level: 'info' | 'warning'; text: string }[];
}
export interface ModelVersion {
  number: number;
  active: boolean;
  held_back: boolean;
  cause: 'first' | 'hand' | 'schedule';
  fitted_at: string;
  fitted_by: Ref | null;
  took_ms: number;
  until: string;
  options: Record<string, unknown>;
  measure: CardMeasure | null;
  card?: ModelCard;
}
export interface ModelOption {
  key: string;
  label: string;
  help: string;
  kind: 'number' | 'switch' | 'choice' | 'traits';
  value: unknown;
  default: unknown;
  set: boolean;
  min?: number;
  max?: number;
  unit?: string;
  choices?: { key: string; label: string }[];
}
export interface ModelLine {
  at: string;
  what: 'fit' | 'held' | 'score' | 'activate' | 'configure' | 'fail';
  version?: number;
  by: Ref | null;
  took_ms?: number;
  detail?: string;
}
/** Something that learns from customers, with the version in use. */
export interface Model {
  key: string;
  label: string;
  does: string;
  page?: string;
  off: boolean;
  refit: Refit;
  options: ModelOption[];
  traits: string[];
  edition: number;
  version: number;
  measure: CardMeasure | null;
  running: boolean;
  failure: string | null;
  scored: number;
  times: { fitted_at: string | null; scored_at: string | null; score_ms: number };
  active: ModelVersion | null;
  versions?: ModelVersion[];
  log?: ModelLine[];
}
export interface ModelReasons {
  model: string;
  label: string;
  version: number;
  reasons: { text: string; effect: number; trait?: string }[];
}

/** While one learns or is scored the list is looked at again. */
const SOON = 3_000;

export const modelsQuery = () =>
  queryOptions({
    queryKey: ['models'],
    queryFn: ({ signal }) => api.get<Items<Model>>('/models', { signal }),
    refetchInterval: ({ state }) => (state.data?.items.some((model) => model.running) ? SOON : false),
  });

export const modelQuery = (key: string) =>
  queryOptions({
    queryKey: ['models', key],
    queryFn: ({ signal }) => api.get<Model>(`/models/${key}`, { signal }),
    refetchInterval: ({ state }) => (state.data?.running ? SOON : false),
  });

export const modelVersionQuery = (key: string, number: number) =>
  queryOptions({
    queryKey: ['models', key, 'version', number],
    queryFn: ({ signal }) => api.get<ModelVersion>(`/models/${key}/versions/${number}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const scoresQuery = (customer: string) =>
  queryOptions({
    queryKey: ['customers', customer, 'scores'],
    queryFn: ({ signal }) => api.get<Items<ModelReasons>>(`/customers/${customer}/scores`, { signal }),
    staleTime: 30_000,
  });

function useModelMutation<In>(run: (input: In) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: run, onSuccess: () => client.invalidateQueries({ queryKey: ['models'] }) });
}
export const useFitModel = () => useModelMutation((key: string) => api.post(`/models/${key}/fit`, {}));
export const useActivateModel = () =>
  useModelMutation(({ key, number }: { key: string; number: number }) =>
    api.post(`/models/${key}/versions/${number}/activate`, {}),
  );
export interface ModelSetting {
  edition: number;
  off: boolean;
  refit: Refit;
  options: Record<string, unknown>;
}
export const useConfigureModel = () =>
  useModelMutation(({ key, setting }: { key: string; setting: ModelSetting }) => api.patch(`/models/${key}`, setting));
