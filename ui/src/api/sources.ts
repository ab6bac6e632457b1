import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items } from './types';

export const SOURCE_TYPES = ['web', 'server', 'sensors', 'webhook'] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

export interface SourceMapping {
  kind: 'track' | 'identify';
  each: string;
  event: string;
  user_id: string;
  anonymous_id: string;
  time: string;
  message_id: string;
  properties: string;
}
export interface SourceDay {
  day: string;
  accepted: number;
  duplicate: number;
  collision: number;
  rejected: number;
  /** Kept out of analysis, or taken out of it, because it was refused. */
  withheld: number;
}
export interface SourceKey {
  /** How it begins; the rest is never shown again. */
  hint: string;
  created_at: string;
  expires_at: string | null;
}
export interface EventSource {
  id: string;
  name: string;
  type: SourceType;
  enabled: boolean;
  origins: string[];
  /** 0 for the standard. */
  per_second: number;
  standard_per_second: number;
  /** 0 for ever. */
  retention_days: number;
  /** What becomes of events that do not say that analysis was agreed to. */
  consent: '' | 'anonymous' | 'drop';
  mapping: SourceMapping | null;
  /** Country and region are made of the address of the network, which is not kept. */
  located: boolean;
  /** Orders count at once; otherwise when a source whose key is secret tells of the same order. */
  orders: boolean;
  keys: SourceKey[];
  /** Of the last thirty days those on which something came. */
  days: SourceDay[];
  last_event_at: string | null;
  created_at: string;
  version: number;
}
export interface EventFlow {
  accepted: number;
  trouble: { step: string; code: string; message: string; since: string; failures: number }[];
}
export interface NewSource {
  source: EventSource;
  /** Shown once and never again. */
  write_key: string;
}
export interface SourceInput {
  name: string;
  type: SourceType;
  enabled: boolean;
  origins: string[];
  per_second: number;
  retention_days: number;
  /** What becomes of events that do not say that analysis was agreed to. */
  consent: '' | 'anonymous' | 'drop';
  mapping: SourceMapping;
  located: boolean;
  orders: boolean;
}
export interface TriedEvent {
  kind: string;
  name: string;
  user_id: string;
  anonymous_id: string;
  message_id: string;
  at: string;
  no_time: boolean;
  properties: unknown;
  code: string;
  field: string;
  message: string;
}

const LOOK_AGAIN = 5_000;

export const sourcesQuery = () =>
  queryOptions({
    queryKey: ['event-sources'],
    queryFn: ({ signal }) => api.get<Items<EventSource> & { flow: EventFlow }>('/event-sources', { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const sourceQuery = (id: string) =>
  queryOptions({
    queryKey: ['event-sources', id],
    queryFn: ({ signal }) => api.get<EventSource>(`/event-sources/${id}`, { signal }),
    refetchInterval: LOOK_AGAIN,
  });

function useSourceAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: ['event-sources'] }) });
}

export const useCreateSource = () =>
  useSourceAction((input: Partial<SourceInput>) => api.post<NewSource>('/event-sources', input));
export const useSaveSource = () =>
  useSourceAction(({ id, version, change }: { id: string; version?: number; change: Partial<SourceInput> }) =>
    api.patch<EventSource>(`/event-sources/${id}`, change, { ifMatch: version }),
  );
export const useDeleteSource = () => useSourceAction((id: string) => api.delete(`/event-sources/${id}`));
export const useRotateSource = () =>
  useSourceAction(({ id, hours }: { id: string; hours: number }) =>
    api.post<NewSource>(`/event-sources/${id}/rotate`, { overlap_hours: hours }),
  );
export const useTryMapping = () =>
  useMutation({
    mutationFn: (input: { mapping: SourceMapping; sample: string }) =>
      api.post<Items<TriedEvent>>('/event-sources/try', input),
  });

/** What became of events of before that were sent to a source. */
export interface ImportedEvents {
  accepted: number;
  /** Of them, brought in before. */
  duplicate: number;
  rejected: { index: number; code: string; field: string; message: string }[];
}
export const importEvents = (
  source: string,
  events: readonly Record<string, unknown>[],
  dry: boolean,
  signal: AbortSignal,
  part?: string,
): Promise<ImportedEvents> =>
  api.post<ImportedEvents>(
    `/event-sources/${source}/import`,
    { events, dry_run: dry, ...(part !== undefined && { import: part }) },
    { signal },
  );
