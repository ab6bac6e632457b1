import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { isApiError } from './errors';
import type { FieldValues, Items, Label, RecordData, Ref } from './types';

export const DUPLICATE_METHODS = ['exact', 'person', 'company', 'address', 'text', 'place'] as const;
export type DuplicateMethod = (typeof DUPLICATE_METHODS)[number];

export interface DuplicateReason {
  field: string;
  label: Label;
  method: DuplicateMethod;
  /** Per cent. */
  alike: number;
}
/** A record that may be the same; null where the reader may not see it: then its owner can be asked. */
export interface DuplicateMatch {
  record: RecordData | null;
  owner: Ref | null;
  deleted: boolean;
  score: number;
  rule: string;
  label: Label;
  action: 'warn' | 'block';
  reasons: DuplicateReason[];
}
export interface DuplicateMatches extends Items<DuplicateMatch> {
  blocked: boolean;
}
export interface DuplicatePair {
  a: string;
  b: string;
  score: number;
  rule: string;
  reasons: DuplicateReason[];
}
export interface DuplicateGroup {
  id: string;
  score: number;
  sure: boolean;
  later: boolean;
  records: RecordData[];
  pairs: DuplicatePair[];
}
export interface DuplicateRun {
  state: 'running' | 'done' | 'failed';
  scanned: number;
  candidates: number;
  compared: number;
  found: number;
  started_at: string;
  ended_at: string | null;
}
export interface DuplicateGroups extends Items<DuplicateGroup> {
  total: number;
  run: DuplicateRun | null;
}
export interface DuplicatePart {
  field: string;
  method: DuplicateMethod;
  needed: boolean;
  least: number;
  weight: number;
}
export interface DuplicateRule {
  key: string;
  label: Label;
  enabled: boolean;
  parts: DuplicatePart[];
  threshold: number;
  create: boolean;
  import: boolean;
  show: boolean;
  bulk: boolean;
  action: 'warn' | 'block';
  sure: boolean;
}
export interface DuplicateRules {
  version: number;
  rules: DuplicateRule[];
  fields: { field: string; label: Label; methods: DuplicateMethod[] }[];
}
export interface DuplicateTrial {
  scanned: number;
  partial: boolean;
  count: number;
  pairs: DuplicatePair[];
  records: RecordData[];
}

const path = (object: string) => `/duplicates/${object}`;

export const duplicatesOfQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['records', object, 'one', id, 'duplicates'],
    queryFn: ({ signal }) => api.get<DuplicateMatches>(`/records/${object}/${id}/duplicates`, { signal }),
    staleTime: 30_000,
    retry: false,
  });
/** What is being entered, against what is there. */
export const findDuplicatesQuery = (object: string, fields: FieldValues) =>
  queryOptions({
    queryKey: ['duplicates', object, 'entered', fields],
    queryFn: ({ signal }) => api.post<DuplicateMatches>(`/records/${object}/duplicates`, { fields }, { signal }),
    gcTime: 10_000,
    retry: false,
  });
export const duplicateGroupsQuery = (object: string, later: boolean, offset: number) =>
  queryOptions({
    queryKey: ['duplicates', object, 'groups', later, offset],
    queryFn: ({ signal }) => api.get<DuplicateGroups>(path(object), { query: { later, offset, limit: 20 }, signal }),
    refetchInterval: (query) => (query.state.data?.run?.state === 'running' ? 1000 : false),
  });
export const duplicateRulesQuery = (object: string) =>
  queryOptions({
    queryKey: ['duplicates', object, 'rules'],
    queryFn: ({ signal }) => api.get<DuplicateRules>(`${path(object)}/rules`, { signal }),
  });

export const searchDuplicates = (object: string) => api.post<DuplicateRun>(`${path(object)}/search`);
export const decideDuplicates = (object: string, groups: string[], decision: 'not_same' | 'later' | 'open') =>
  api.post<{ groups: number }>(`${path(object)}/decide`, { groups, decision });
export const mergeDuplicates = (object: string, groups: string[]) =>
  api.post<{ groups: number; records: number; failed: number; error?: { title: string } }>(`${path(object)}/merge`, {
    groups,
  });
export const dismissDuplicates = (object: string, id: string, ids: string[]) =>
  api.post(`/records/${object}/${id}/duplicates/dismiss`, { ids });
export const saveDuplicateRules = (object: string, version: number, rules: DuplicateRule[]) =>
  api.patch<DuplicateRules>(`${path(object)}/rules`, { version, rules });
export const tryDuplicateRule = (object: string, rule: DuplicateRule) =>
  api.post<DuplicateTrial>(`${path(object)}/rules/try`, { rule });

/** The records that speak against a write, when that is why it was refused. */
export function duplicatesIn(error: unknown): DuplicateMatches | null {
  if (!isApiError(error, 409) || !error.code.startsWith('dedupe.')) return null;
  return { items: error.duplicates as DuplicateMatch[], blocked: error.code === 'dedupe.blocked' };
}
