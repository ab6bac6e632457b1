import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, apiUrl } from './client';
import type { Condition } from './conditions';
import type { Actor, AuditEntry, Items, Label, Page, RecordData, Ref } from './types';

export interface PrivacyCount {
  /** "object:<key>", or a part of the store. */
  part: string;
  label?: Label;
  fate: 'gone' | 'emptied' | 'shell' | 'freed';
  count: number;
}
export type ErasureState = 'waiting' | 'queued' | 'running' | 'cleaning' | 'done' | 'failed' | 'refused';
export const ERASURE_REASONS = ['request', 'consent', 'purpose', 'unlawful', 'other'] as const;
export type ErasureReason = (typeof ERASURE_REASONS)[number] | 'restored' | 'retention';
export interface Erasure {
  id: string;
  object: string;
  record: string;
  state: ErasureState;
  reason: ErasureReason;
  reference: string;
  counts: PrivacyCount[];
  error: string;
  certificate: string;
  requested_by: Actor;
  requested_at: string;
  decided_by: Actor | null;
  decided_at: string | null;
  finished_at: string | null;
  /** The reader asked for it, and so cannot be the second person. */
  mine: boolean;
}
export interface RecordHold {
  object: string;
  record: string;
  reason: string;
  by: Actor;
  at: string;
}
export interface ErasurePreview {
  record: RecordData;
  counts: PrivacyCount[];
  merged: number;
  hold: RecordHold | null;
  running: Erasure | null;
  second_person: boolean;
}
export interface PrivacyCopy {
  id: string;
  object: string;
  record: string;
  state: 'queued' | 'running' | 'done' | 'failed';
  bytes: number;
  sha256: string;
  parts: PrivacyCount[];
  error: string;
  created_by: Actor;
  created_at: string;
  finished_at: string | null;
  expires_at: string | null;
}
export const REQUEST_KINDS = [
  'access',
  'copy',
  'correction',
  'erasure',
  'objection',
  'restriction',
  'explanation',
] as const;
export const REQUEST_STATES = ['open', 'working', 'done', 'refused', 'withdrawn'] as const;
export const REQUEST_CHANNELS = ['phone', 'email', 'letter', 'person', 'online'] as const;
export const REQUEST_PROOFS = ['phone', 'document', 'login', 'known'] as const;
export const LAWS = ['pipl', 'gdpr'] as const;
export type Law = (typeof LAWS)[number];
export interface PrivacyRequest {
  id: string;
  kind: (typeof REQUEST_KINDS)[number];
  law: Law;
  record: Ref | null;
  channel: string;
  verified: string;
  received_on: string;
  due_on: string;
  /** Negative when it is overdue. */
  days_left: number;
  extended: boolean;
  state: (typeof REQUEST_STATES)[number];
  assignee: Ref | null;
  outcome: string;
  reference: string;
  proof: string;
  version: number;
  closed_at: string | null;
}
export interface RequestInput {
  kind: string;
  law: string;
  record: string;
  channel: string;
  verified: string;
  received_on: string;
  extended: boolean;
  state: string;
  assignee: string;
  outcome: string;
  reference: string;
}
export interface RetentionRule {
  id: string;
  object: string;
  label: Label;
  name: string;
  months: number;
  basis: 'activity' | 'created';
  where: Condition | null;
  sentence: Label;
  action: 'erase' | 'empty' | 'remove';
  active: boolean;
  version: number;
  runs: { at: string; found: number; done: number; held: number; failed: number; error: string }[];
}
export interface RetentionInput {
  object: string;
  name: string;
  months: number;
  basis: string;
  where: Condition | null;
  active: boolean;
}
export interface PrivacySettings {
  second_person: boolean;
  law: Law;
  days: number;
  reveals: Record<string, number>;
}

export type KeyKind = 'secret' | 'data' | 'index';
export interface KeyRotation {
  id: string;
  kind: KeyKind;
  state: 'queued' | 'running' | 'done';
  paused: boolean;
  phase: string;
  /** Whose records an exchange is at. */
  object: string;
  done: number;
  total: number;
  /** Values that an exchange has written anew, and how many in a second of work. */
  changed: number;
  per_second: number;
  at: string;
  finished_at: string | null;
}
export interface Keys {
  secrets: number;
  /** In the key file; otherwise in the settings of the program. */
  file: boolean;
  rotations: KeyRotation[];
}
export interface RevealCount {
  actor: Actor;
  count: number;
}
export interface Reveals extends Page<AuditEntry> {
  people: RevealCount[];
}

const of = (object: string, id: string) => `/records/${object}/${id}`;

export const erasurePreviewQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['privacy', 'preview', object, id],
    queryFn: ({ signal }) => api.get<ErasurePreview>(`${of(object, id)}/erasure`, { signal }),
  });
export const erasuresQuery = () =>
  queryOptions({
    queryKey: ['privacy', 'erasures'],
    queryFn: ({ signal }) => api.get<Items<Erasure>>('/privacy/erasures', { query: { limit: 200 }, signal }),
  });
export const copiesQuery = (record?: string) =>
  queryOptions({
    queryKey: ['privacy', 'copies', record ?? ''],
    queryFn: ({ signal }) => api.get<Items<PrivacyCopy>>('/privacy/copies', { query: { record }, signal }),
  });
export const requestsQuery = (open: boolean) =>
  queryOptions({
    queryKey: ['privacy', 'requests', open],
    queryFn: ({ signal }) => api.get<Items<PrivacyRequest>>('/privacy/requests', { query: { open }, signal }),
  });
export const retentionQuery = () =>
  queryOptions({
    queryKey: ['privacy', 'retention'],
    queryFn: ({ signal }) => api.get<Items<RetentionRule>>('/privacy/retention', { signal }),
  });
export const holdsQuery = () =>
  queryOptions({
    queryKey: ['privacy', 'holds'],
    queryFn: ({ signal }) => api.get<Items<RecordHold>>('/privacy/holds', { signal }),
  });
export const privacySettingsQuery = () =>
  queryOptions({
    queryKey: ['privacy', 'settings'],
    queryFn: ({ signal }) => api.get<PrivacySettings>('/privacy/settings', { signal }),
  });
export const holdQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['privacy', 'hold', object, id],
    queryFn: ({ signal }) => api.get<{ hold: RecordHold | null }>(`${of(object, id)}/hold`, { signal }),
  });

export const keysQuery = () =>
  queryOptions({
    queryKey: ['privacy', 'keys'],
    queryFn: ({ signal }) => api.get<Keys>('/keys', { signal }),
  });
export const revealsQuery = () =>
  infiniteQueryOptions({
    queryKey: ['privacy', 'reveals'],
    queryFn: ({ pageParam, signal }) => api.get<Reveals>('/privacy/reveals', { query: { cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });

export const certificateUrl = (id: string, json = false) =>
  apiUrl(`/privacy/erasures/${id}/certificate`, json ? { format: 'json' } : {});
export const copyFileUrl = (id: string) => apiUrl(`/privacy/copies/${id}/file`);

function usePrivacy<I, O>(call: (input: I) => Promise<O>, ...more: string[][]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSettled: () => Promise.all([['privacy'], ...more].map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

export const useErase = (object: string, id: string) =>
  usePrivacy(
    (input: { reason: string; reference: string; request?: string; confirm: string }) =>
      api.post<Erasure>(`${of(object, id)}/erase`, input),
    ['records', object],
  );
export const useDecideErasure = () =>
  usePrivacy(({ id, confirm }: { id: string; confirm: boolean }) =>
    api.post<Erasure>(`/privacy/erasures/${id}/decide`, { confirm }),
  );
export const useRetryErasure = () => usePrivacy((id: string) => api.post<Erasure>(`/privacy/erasures/${id}/retry`, {}));
export const useOrderCopy = (object: string, id: string) =>
  usePrivacy((request?: string) => api.post<PrivacyCopy>(`${of(object, id)}/copy`, { request }));
export const useRestrict = (id: string) =>
  usePrivacy((on: boolean) => api.post<RecordData>(`${of('customer', id)}/restrict`, { on }), ['records', 'customer']);
export const useHold = (object: string, id: string) =>
  usePrivacy(async (reason: string | null) => {
    if (reason === null) await api.delete(`${of(object, id)}/hold`);
    else await api.post(`${of(object, id)}/hold`, { reason });
  });
export const useSaveRequest = () =>
  usePrivacy(({ id, version, input }: { id?: string; version?: number; input: Partial<RequestInput> }) =>
    id === undefined
      ? api.post<PrivacyRequest>('/privacy/requests', input)
      : api.patch<PrivacyRequest>(`/privacy/requests/${id}`, { ...input, version }),
  );
export const useSaveRule = () =>
  usePrivacy(({ id, version, input }: { id?: string; version?: number; input: Partial<RetentionInput> }) =>
    id === undefined
      ? api.post<RetentionRule>('/privacy/retention', input)
      : api.patch<RetentionRule>(`/privacy/retention/${id}`, { ...input, version }),
  );
export const useDeleteRule = () => usePrivacy((id: string) => api.delete(`/privacy/retention/${id}`));
export const previewRule = (input: Partial<RetentionInput>) =>
  api.post<{ found: number; held: number; action: RetentionRule['action']; sentence: Label }>(
    '/privacy/retention/preview',
    input,
  );
export const useSavePrivacySettings = () =>
  usePrivacy((input: Partial<PrivacySettings>) => api.patch<PrivacySettings>('/privacy/settings', input));
export const useRotateKeys = () => usePrivacy((what: KeyKind) => api.post<Keys>('/keys/rotate', { what }));
export const usePauseKeys = () =>
  usePrivacy(({ id, on }: { id: string; on: boolean }) => api.post<Keys>(`/keys/rotations/${id}/pause`, { on }));
export const checkSuppression = (input: { object: string; field: string; value: string; lift?: boolean }) =>
  api.post<{ suppressed: boolean }>('/privacy/suppression', input);
