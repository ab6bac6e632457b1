import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Actor, Items, Label, RecordData, Ref } from './types';

/** Whose value a field takes when nobody chose. */
export type MergePrefer = 'survivor' | 'newest' | 'complete';
export const MERGE_PREFER: readonly MergePrefer[] = ['survivor', 'newest', 'complete'];

export interface MergeField {
  field: string;
  /** Id of a record, "united", or "" where none has a value. */
  from: string;
  differs: boolean;
  can_unite: boolean;
}
export interface MergePreview {
  survivor: string;
  records: RecordData[];
  fields: MergeField[];
  children: { object: string; via: string; label: Label; count: number }[];
}
export interface MergeInput {
  survivor: string;
  ids: string[];
  version?: number;
  prefer?: MergePrefer;
  fields?: Record<string, string>;
}
export interface MergeResult {
  merge: string;
  record: RecordData;
  moved: number;
  /** Records that point at another one, or will: the rest follows in the background. */
  total: number;
  moving: boolean;
  restored?: string[];
}
export interface MergeEntry {
  id: string;
  at: string;
  actor: Actor;
  merged: Ref[];
  moved: number;
  total: number;
  moving: boolean;
  stuck?: number;
}

export const mergePreviewQuery = (object: string, ids: readonly string[], survivor: string, prefer: MergePrefer) =>
  queryOptions({
    queryKey: ['records', object, 'merge', ids, survivor, prefer],
    queryFn: ({ signal }) =>
      api.post<MergePreview>(
        `/records/${object}/merge/preview`,
        { survivor, ids: ids.filter((id) => id !== survivor), prefer },
        { signal },
      ),
    enabled: ids.length > 1,
    placeholderData: (old) => old,
    gcTime: 0,
  });

export const mergesQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['records', object, 'one', id, 'merges'],
    queryFn: ({ signal }) => api.get<Items<MergeEntry>>(`/records/${object}/${id}/merges`, { signal }),
    // What moves in the background is shown as it goes.
    refetchInterval: ({ state }) => (state.data?.items.some((entry) => entry.moving) === true ? 1000 : false),
  });

export const mergeRecords = (object: string, input: MergeInput) =>
  api.post<MergeResult>(`/records/${object}/merge`, input, { idempotencyKey: crypto.randomUUID() });
export const unmergeRecords = (object: string, merge: string) =>
  api.post<MergeResult>(`/records/${object}/unmerge`, { merge });
