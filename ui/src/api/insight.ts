import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Condition } from './conditions';
import type {
  Classification,
  ClassificationPreview,
  ClassificationRun,
  ClassRule,
  Cohorts,
  ConditionCheck,
  Home,
  Items,
  Label,
  RecordPage,
  RfmState,
  Segment,
  SegmentCount,
  SegmentInput,
  SegmentOverlap,
  SegmentSize,
  TraitList,
} from './types';

/* Home and customers */
export type HomeDays = 30 | 90 | 365 | 730;
export const homeQuery = (days: HomeDays) =>
  queryOptions({
    queryKey: ['home', days],
    queryFn: ({ signal }) => api.get<Home>('/home', { query: { days }, signal }),
    placeholderData: (old) => old,
  });
export const cohortsQuery = () =>
  queryOptions({
    queryKey: ['cohorts'],
    queryFn: ({ signal }) => api.get<Cohorts>('/cohorts', { signal }),
    staleTime: 60_000,
  });
/* Conditions */
export const conditionCheckQuery = (object: string, where: Condition) =>
  queryOptions({
    queryKey: ['conditions', object, where],
    queryFn: ({ signal }) => api.post<ConditionCheck>('/conditions/check', { object, where }, { signal }),
  });

/* Segments */
export const segmentsQuery = () =>
  queryOptions({ queryKey: ['segments'], queryFn: ({ signal }) => api.get<Items<Segment>>('/segments', { signal }) });
export const segmentQuery = (key: string) =>
  queryOptions({
    queryKey: ['segments', key],
    queryFn: ({ signal }) => api.get<Segment>(`/segments/${key}`, { signal }),
  });
/** The live count of the builder: the earlier answer stays until the new one comes (dim it by isPlaceholderData). */
export const segmentCountQuery = (where: Condition | null) =>
  queryOptions({
    queryKey: ['segments', 'count', where],
    queryFn: ({ signal }) => api.post<SegmentCount>('/segments/count', { where }, { signal }),
    enabled: where !== null,
    placeholderData: (old) => old,
    retry: false,
  });
export const segmentMembersQuery = (key: string, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['segments', key, 'members', limit],
    queryFn: ({ pageParam, signal }) =>
      api.get<RecordPage>(`/segments/${key}/members`, { query: { limit, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
export const segmentHistoryQuery = (key: string) =>
  queryOptions({
    queryKey: ['segments', key, 'history'],
    queryFn: ({ signal }) => api.get<Items<SegmentSize>>(`/segments/${key}/history`, { signal }),
  });
export const segmentOverlapQuery = (key: string, other: string) =>
  queryOptions({
    queryKey: ['segments', key, 'overlap', other],
    queryFn: ({ signal }) => api.get<SegmentOverlap>(`/segments/${key}/overlap`, { query: { with: other }, signal }),
  });
export function useSaveSegment() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { key?: string; version?: number; segment: Partial<SegmentInput> }) =>
      input.key === undefined
        ? api.post<Segment>('/segments', input.segment)
        : api.patch<Segment>(`/segments/${input.key}`, input.segment, { ifMatch: input.version }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['segments'] }),
  });
}
export function useDeleteSegment() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { key: string; version?: number }) =>
      api.delete(`/segments/${input.key}`, { ifMatch: input.version }),
    // Not the deleted one: its page may still be there for a moment, and would ask in vain.
    onSuccess: (_, { key }) =>
      client.invalidateQueries({ queryKey: ['segments'], predicate: ({ queryKey }) => queryKey[1] !== key }),
  });
}
export function useRefreshSegment() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => api.post<Segment>(`/segments/${key}/refresh`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['segments'] }),
  });
}

/* Traits */
export const traitsQuery = () =>
  queryOptions({
    queryKey: ['traits'],
    queryFn: ({ signal }) => api.get<TraitList>('/traits', { signal }),
    staleTime: 5 * 60_000,
  });
export function useRecomputeTraits() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.post<unknown>('/traits/recompute'),
    onSuccess: () => client.invalidateQueries({ queryKey: ['system'] }),
  });
}

/* Classifications and RFM */
export const classificationsQuery = () =>
  queryOptions({
    queryKey: ['classifications'],
    queryFn: ({ signal }) => api.get<Items<Classification>>('/classifications', { signal }),
  });
export const classificationPreviewQuery = (key: string, classes: ClassRule[] | null) =>
  queryOptions({
    queryKey: ['classifications', key, 'preview', classes],
    queryFn: ({ signal }) =>
      api.post<ClassificationPreview>(`/classifications/${key}/preview`, { classes }, { signal }),
    enabled: classes !== null,
    placeholderData: (old) => old,
    retry: false,
  });
export const classificationHistoryQuery = (key: string) =>
  queryOptions({
    queryKey: ['classifications', key, 'history'],
    queryFn: ({ signal }) => api.get<Items<ClassificationRun>>(`/classifications/${key}/history`, { signal }),
  });
export function useSaveClassification(key: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { label?: Label; classes: ClassRule[]; version: number }) =>
      api.patch<Classification>(`/classifications/${key}`, input, { ifMatch: input.version }),
    onSuccess: () => client.invalidateQueries(),
  });
}
export function useResetClassification(key: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.post<Classification>(`/classifications/${key}/reset`),
    onSuccess: () => client.invalidateQueries(),
  });
}
export const rfmQuery = () =>
  queryOptions({ queryKey: ['rfm'], queryFn: ({ signal }) => api.get<RfmState>('/rfm', { signal }) });
export function useSaveRfmCuts() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { mode: RfmState['mode']; cuts?: RfmState['cuts'] }) => api.post<RfmState>('/rfm/cuts', input),
    onSuccess: () => client.invalidateQueries(),
  });
}
