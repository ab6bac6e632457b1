import {
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { orPropose } from './approval-gate';
import { api } from './client';
import type { Condition } from './conditions';
import type {
  BatchOperation,
  BatchResult,
  FieldValues,
  HistoryEntry,
  Items,
  Page,
  RecordCount,
  RecordData,
  RecordPage,
  RecordQuery,
  TimelineEntry,
} from './types';

/** Keys begin with ['records', object], so one call refreshes everything of an object. */
export const recordKeys = {
  object: (object: string) => ['records', object] as const,
  list: (object: string, query: RecordQuery) => ['records', object, 'list', query] as const,
  one: (object: string, id: string) => ['records', object, 'one', id] as const,
};

const path = (object: string, id?: string) => (id === undefined ? `/records/${object}` : `/records/${object}/${id}`);

/** One page by offset: what the virtual grid asks for. Pages are let go a minute after they were last seen. */
export const recordPageQuery = (object: string, query: RecordQuery) =>
  queryOptions({
    queryKey: recordKeys.list(object, query),
    queryFn: ({ signal }) => api.post<RecordPage>(`${path(object)}/query`, query, { signal }),
    gcTime: 60_000,
  });

/** Pages by cursor, for phones, pickers and related lists. */
export const recordInfiniteQuery = (object: string, query: Omit<RecordQuery, 'cursor' | 'offset'>) =>
  infiniteQueryOptions({
    queryKey: ['records', object, 'infinite', query],
    queryFn: ({ pageParam, signal }) =>
      api.post<RecordPage>(`${path(object)}/query`, pageParam === '' ? query : { ...query, cursor: pageParam }, {
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    gcTime: 60_000,
  });

export const recordCountQuery = (object: string, where: Condition | null, search = '') =>
  queryOptions({
    queryKey: ['records', object, 'count', where, search],
    queryFn: ({ signal }) =>
      api.post<RecordCount>(
        `${path(object)}/count`,
        { where: where ?? undefined, search: search || undefined },
        { signal },
      ),
  });

export const recordQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: recordKeys.one(object, id),
    queryFn: ({ signal }) => api.get<RecordData>(path(object, id), { signal }),
  });

/** What a timeline is narrowed to: kinds with commas, local days, words. */
export interface TimelineAsk {
  kinds?: string;
  from?: string;
  to?: string;
  q?: string;
}
export interface TimelinePage extends Page<TimelineEntry> {
  /** Of a search that goes on: how far back it has looked. */
  searched?: string;
}
/** What happened to a record. */
export const timelineQuery = (object: string, id: string, ask: TimelineAsk = {}, limit = 30) =>
  infiniteQueryOptions({
    queryKey: [...recordKeys.one(object, id), 'timeline', ask, limit],
    queryFn: ({ pageParam, signal }) =>
      api.get<TimelinePage>(`${path(object, id)}/timeline`, {
        query: { limit, ...ask, cursor: pageParam },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });

export const historyQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: [...recordKeys.one(object, id), 'history'],
    queryFn: ({ signal }) => api.get<Items<HistoryEntry>>(`${path(object, id)}/history`, { signal }),
  });

/* Plain calls, for optimistic flows that manage the cache themselves */
/** With a key, the same request arrives once however often it is sent. */
export const createRecord = (object: string, fields: FieldValues, anyway = false, key = '') =>
  orPropose(
    api.post<RecordData>(
      `${path(object)}${anyway ? '?duplicates=allow' : ''}`,
      { fields },
      key === '' ? {} : { idempotencyKey: key },
    ),
    { object, action: 'create', fields },
  );
/** Throws ApiError 412 with `current` when somebody else was faster. */
export const updateRecord = (object: string, id: string, fields: FieldValues, version: number, anyway = false) =>
  orPropose(
    api.patch<RecordData>(`${path(object, id)}${anyway ? '?duplicates=allow' : ''}`, { fields }, { ifMatch: version }),
    { object, action: 'update', record: id, version, fields },
  );
export const deleteRecord = (object: string, id: string, version: number) =>
  orPropose(api.delete(path(object, id), { ifMatch: version }), { object, action: 'delete', record: id, version });
export const restoreRecord = (object: string, id: string) => api.post<RecordData>(`${path(object, id)}/restore`);
export const batchRecords = (object: string, operations: BatchOperation[], atomic = false) =>
  api.post<{ results: BatchResult[] }>(`${path(object)}/batch`, { atomic, operations });
/** Audited and rate-limited. */
export const revealFields = (object: string, id: string, fields: string[]) =>
  api.post<{ fields: FieldValues }>(`${path(object, id)}/reveal`, { fields });

/** What changed laid over what is known: a list knows some fields of a record, its page all of them. */
const mergeRecord = (old: RecordData, record: RecordData): RecordData => ({
  ...old,
  ...record,
  fields: { ...old.fields, ...record.fields },
  ...((old.traits ?? record.traits) && { traits: { ...old.traits, ...record.traits } }),
});

/** Puts a changed record into every cached place that shows it. It may hold some of the fields only. */
export function patchRecordCache(client: QueryClient, record: RecordData): void {
  client.setQueryData<RecordData>(recordKeys.one(record.object, record.id), (old) => old && mergeRecord(old, record));
  const inPage = (page: RecordPage): RecordPage => {
    if (!page.items.some((item) => item.id === record.id)) return page;
    return { ...page, items: page.items.map((item) => (item.id === record.id ? mergeRecord(item, record) : item)) };
  };
  client.setQueriesData<RecordPage>({ queryKey: ['records', record.object, 'list'] }, (page) => page && inPage(page));
  client.setQueriesData<{ pages: RecordPage[]; pageParams: unknown[] }>(
    { queryKey: ['records', record.object, 'infinite'] },
    (data) => data && { ...data, pages: data.pages.map(inPage) },
  );
  if (record.object === 'customer')
    client.setQueryData<{ record: RecordData }>(
      ['customers', record.id, 'profile'],
      (old) => old && { ...old, record: mergeRecord(old.record, record) },
    );
}

export function useCreateRecord(object: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { fields: FieldValues; anyway?: boolean }) => createRecord(object, input.fields, input.anyway),
    onSuccess: () => client.invalidateQueries({ queryKey: recordKeys.object(object) }),
  });
}

/** Saves some fields of a record; the cache holds the answer afterwards. */
export function useUpdateRecord(object: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { id: string; version: number; fields: FieldValues }) =>
      updateRecord(object, input.id, input.fields, input.version),
    onSuccess: (record) => patchRecordCache(client, record),
  });
}

export function useDeleteRecord(object: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { id: string; version: number }) => deleteRecord(object, input.id, input.version),
    onSuccess: () => client.invalidateQueries({ queryKey: recordKeys.object(object) }),
  });
}
