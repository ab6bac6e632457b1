import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { orPropose } from './approval-gate';
import { api } from './client';
import type { Condition } from './conditions';
import type { Items, Label, RecordData, Ref } from './types';

export const ACTIONS = ['read', 'create', 'update', 'delete', 'export', 'reveal', 'assign', 'share'] as const;
export type Action = (typeof ACTIONS)[number];
export const SCOPES = ['none', 'own', 'team', 'department', 'customer', 'condition', 'all'] as const;
export type Scope = (typeof SCOPES)[number];
export const FIELD_LEVELS = ['write', 'read', 'masked', 'hidden'] as const;
export type FieldLevel = (typeof FIELD_LEVELS)[number];
/** The key of what a role may do with objects that it does not name. */
export const EVERYTHING = '*';

export interface Grant {
  scope: Scope;
  where?: Condition;
}
export interface Grants {
  actions: Partial<Record<Action, Grant>>;
  fields?: Record<string, FieldLevel>;
}
export interface RoleDraft {
  name: string;
  description: string;
  rights: string[];
  objects: Record<string, Grants>;
}
export interface AccessRole extends Omit<RoleDraft, 'name'> {
  key: string;
  name: Label;
  builtin: boolean;
  holders: number;
  version: number;
  broken?: boolean;
}
interface AccessRoles extends Items<AccessRole> {
  general: string[];
}
export interface Unit {
  id: string;
  kind: 'department' | 'team';
  parent: string | null;
  name: string;
  position: number;
  members: string[];
  head: string | null;
  version: number;
}
export interface RoleSight {
  object: string;
  seen: number;
  seen_more: boolean;
  total: number;
  total_more: boolean;
  hidden: string[];
  masked: string[];
}
export interface Explanation {
  user: Ref;
  role: Label;
  actions: { action: Action; granted: boolean; rules: { rule: string; grants: boolean; text: Label }[] }[];
  hidden: { key: string; label: Label }[];
  masked: { key: string; label: Label }[];
}
export type ShareKind = 'user' | 'team' | 'department';
export interface RecordShare {
  id: string;
  kind: ShareKind;
  to: string;
  name: string;
  access: 'read' | 'write';
  until: string | null;
  created_at: string;
  created_by: Ref | null;
}

const orgKey = ['org'] as const;
const rolesKey = ['roles'] as const;
const sharesKey = (object: string, id: string) => ['records', object, 'one', id, 'shares'] as const;

export const orgQuery = () =>
  queryOptions({ queryKey: orgKey, queryFn: ({ signal }) => api.get<Items<Unit>>('/org', { signal }) });
export const rolesQuery = () =>
  queryOptions({ queryKey: rolesKey, queryFn: ({ signal }) => api.get<AccessRoles>('/roles', { signal }) });
export const explainQuery = (object: string, record: string, user: string) =>
  queryOptions({
    queryKey: ['rights', 'explain', object, record, user],
    queryFn: ({ signal }) =>
      api.get<Explanation>(`/rights/explain?${new URLSearchParams({ object, record, user })}`, { signal }),
    staleTime: 0,
    retry: false,
  });
export const sharesQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: sharesKey(object, id),
    queryFn: ({ signal }) => api.get<Items<RecordShare>>(`/records/${object}/${id}/shares`, { signal }),
  });

export type UnitInput =
  | { id?: undefined; create: { kind: Unit['kind']; name: string; parent?: string; head?: string; add?: string[] } }
  | { id: string; change: { name?: string; parent?: string; head?: string; add?: string[]; remove?: string[] } };
export function useSaveUnit() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: UnitInput) =>
      input.id === undefined
        ? api.post<Unit>('/org/units', input.create)
        : api.patch<Unit>(`/org/units/${input.id}`, input.change),
    onSuccess: () => client.invalidateQueries({ queryKey: orgKey }),
  });
}
export function useDeleteUnit() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/org/units/${id}`),
    onSuccess: () => client.invalidateQueries({ queryKey: orgKey }),
  });
}

/** Without a key a new role is made. */
export function useSaveRole() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, version, role }: { key?: string; version?: number; role: RoleDraft }) =>
      key === undefined
        ? api.post<AccessRole>('/roles', role)
        : api.patch<AccessRole>(`/roles/${key}`, { ...role, version }),
    onSuccess: () => client.invalidateQueries({ queryKey: rolesKey }),
  });
}
export function useDeleteRole() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => api.delete(`/roles/${key}`),
    onSuccess: () => client.invalidateQueries({ queryKey: rolesKey }),
  });
}
export function usePreviewRole() {
  return useMutation({
    mutationFn: (input: { role: RoleDraft; user?: string }) => api.post<Items<RoleSight>>('/roles/preview', input),
  });
}

export function useShare(object: string, id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { kind: ShareKind; to: string; access: 'read' | 'write'; until?: string }) =>
      api.post<RecordShare>(`/records/${object}/${id}/shares`, input),
    onSuccess: () => client.invalidateQueries({ queryKey: sharesKey(object, id) }),
  });
}
export function useUnshare(object: string, id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (share: string) => api.delete(`/records/${object}/${id}/shares/${share}`),
    onSuccess: () => client.invalidateQueries({ queryKey: sharesKey(object, id) }),
  });
}
/** The answer's record is null when it went out of sight. */
export function useAssign(object: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version, owner }: { id: string; version: number; owner: string | null }) =>
      orPropose(api.post<{ record: RecordData | null }>(`/records/${object}/${id}/assign`, { owner, version }), {
        object,
        action: 'assign',
        record: id,
        version,
        owner,
      }),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['records', object] }),
        client.invalidateQueries({ queryKey: ['customers'] }),
      ]),
  });
}
