import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { Condition } from './conditions';
import type { Items, Segment, SegmentCount, TraitValue } from './types';

/** What a segment stands on, or what stands on it. */
export interface SegmentUse {
  kind: 'segment' | 'list' | 'trait' | 'record' | 'event' | 'field' | 'classification' | 'view' | 'automation';
  key: string;
  label: Label;
  how?: 'enters' | 'leaves' | 'condition';
  state?: 'on' | 'off' | 'paused';
}
export interface SegmentUses {
  on: SegmentUse[];
  by: SegmentUse[];
}
/** One customer's entering or leaving. */
export interface SegmentMove {
  customer: { id: string; title: string; subtitle: string };
  at: string;
  entered: boolean;
  cause: 'changed' | 'moved' | 'computed' | 'listed';
  why: Label;
}
export interface SegmentOverlaps {
  items: { key: string; label: string }[];
  matrix: number[][];
}
export interface TrashedSegments {
  items: (Segment & { deleted_at: string })[];
  days: number;
}
export interface ListInput {
  key?: string;
  mode?: 'add' | 'remove' | 'replace';
  label?: string;
  folder?: string;
  field: string;
  values: string[];
  dry_run?: boolean;
}
export interface ListResult {
  segment: Segment | null;
  values: number;
  repeated: number;
  found: number;
  customers: number;
  missing: number;
  missing_values: string[];
}

export interface SegmentDifference {
  key: string;
  kind: 'trait' | 'field';
  label: Label;
  unit?: Label;
  type: string;
  significant: boolean;
  p: number;
  p_corrected: number;
  effect: number;
  a: { n: number; mean: TraitValue };
  b: { n: number; mean: TraitValue };
  values?: { key: string; label: Label; a: number; b: number }[];
}
export interface SegmentContrast {
  a: number;
  b: number;
  both: number;
  asked: number;
  items: SegmentDifference[];
}
export interface SimilarCustomers {
  ok: boolean;
  auc: number;
  rows: number;
  customers: number;
  sample: { id: string; title: string; subtitle: string }[];
  reasons: { key: string; label: Label; value?: Label; missing?: boolean; weight: number }[];
  segment: Segment | null;
}
/** In what two segments differ; without another one, from everybody else. */
export const segmentContrastQuery = (a: string, b: string | null) =>
  queryOptions({
    queryKey: ['segments', 'contrast', a, b],
    queryFn: ({ signal }) => api.get<SegmentContrast>('/segments/compare', { query: { a, b: b ?? '' }, signal }),
    staleTime: 60_000,
  });
export function useSimilar() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, ...body }: { key: string; count: number; label?: string }) =>
      api.post<SimilarCustomers>(`/segments/${key}/similar`, body),
    onSuccess: (_, { label }) =>
      label === undefined ? undefined : client.invalidateQueries({ queryKey: ['segments'] }),
  });
}

export const segmentUsesQuery = (key: string) =>
  queryOptions({
    queryKey: ['segments', key, 'uses'],
    queryFn: ({ signal }) => api.get<SegmentUses>(`/segments/${key}/uses`, { signal }),
  });
export const segmentMovesQuery = (key: string) =>
  queryOptions({
    queryKey: ['segments', key, 'moves'],
    queryFn: ({ signal }) => api.get<Items<SegmentMove>>(`/segments/${key}/moves`, { signal }),
  });
export const segmentOverlapsQuery = (keys: readonly string[]) =>
  queryOptions({
    queryKey: ['segments', 'overlaps', keys],
    queryFn: ({ signal }) =>
      api.get<SegmentOverlaps>('/segments/overlaps', { query: { keys: keys.join(',') }, signal }),
    enabled: keys.length > 1,
    placeholderData: (old) => old,
  });
export const segmentBinQuery = () =>
  queryOptions({
    queryKey: ['segments', 'bin'],
    queryFn: ({ signal }) => api.get<TrashedSegments>('/segments/bin', { signal }),
  });
/** The counts of every part of a condition, by JSON pointer; the earlier ones stay until the new ones come. */
export const segmentPartsQuery = (where: Condition | null) =>
  queryOptions({
    queryKey: ['segments', 'parts', where],
    queryFn: ({ signal }) =>
      api.post<SegmentCount & { parts: { at: string; count: number }[] }>(
        '/segments/count',
        { where, parts: true },
        { signal },
      ),
    enabled: where !== null,
    retry: false,
  });

export function useTrashed() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, forGood }: { key: string; forGood: boolean }): Promise<unknown> =>
      forGood ? api.delete(`/segments/bin/${key}`) : api.post<Segment>(`/segments/${key}/restore`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['segments'] }),
  });
}
export function useSegmentList() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: ListInput) => api.post<ListResult>('/segments/list', input),
    onSuccess: (_, { dry_run }) => (dry_run ? undefined : client.invalidateQueries({ queryKey: ['segments'] })),
  });
}
