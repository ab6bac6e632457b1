import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Ref } from './types';
import type { Layout } from './types-shape';

export interface LayoutRole {
  key: string;
  /** Of a role made in the workspace. */
  name?: string;
}
export interface Layouts {
  items: Layout[];
  roles: LayoutRole[];
}

const layoutsKey = (object: string) => ['objects', object, 'layouts'] as const;

export const layoutsQuery = (object: string) =>
  queryOptions({
    queryKey: layoutsKey(object),
    queryFn: ({ signal }) => api.get<Layouts>(`/objects/${object}/layouts`, { signal }),
  });

function useLayoutChange<I>(object: string, run: (input: I) => Promise<Layouts>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: async (layouts) => {
      client.setQueryData(layoutsKey(object), layouts);
      await client.invalidateQueries({ queryKey: ['objects'], exact: true });
    },
  });
}
export const useSetLayout = (object: string) =>
  useLayoutChange(object, (layout: Layout) => api.post<Layouts>(`/objects/${object}/layouts`, layout));
export const useRemoveLayout = (object: string) =>
  useLayoutChange(object, async (role: string) => {
    await api.delete(`/objects/${object}/layouts/${role || 'default'}`);
    return api.get<Layouts>(`/objects/${object}/layouts`);
  });

/** Long work on the shape of an object. */
export interface ShapeWork {
  id: string;
  kind: 'unique' | 'convert' | 'index';
  object: string;
  target: string;
  state: 'queued' | 'running' | 'checked' | 'done' | 'failed' | 'cancelled' | 'undone';
  seen: number;
  total: number;
  found: number;
  error?: string;
  at: string;
}
export const worksQuery = (object: string, enabled = true) =>
  queryOptions({
    queryKey: ['objects', object, 'works'],
    queryFn: ({ signal }) => api.get<{ items: ShapeWork[] }>(`/objects/${object}/works`, { signal }),
    enabled,
    refetchInterval: (query) =>
      query.state.data?.items.some((work) => work.state === 'queued' || work.state === 'running') === true
        ? 1000
        : false,
  });

export interface Clash {
  record: Ref | null;
  other: Ref | null;
}
export const clashesQuery = (object: string, rule: string) =>
  queryOptions({
    queryKey: ['objects', object, 'clashes', rule],
    queryFn: ({ signal }) =>
      api.get<{ items: Clash[]; total: number }>(`/objects/${object}/unique/${rule}/clashes`, { signal }),
  });

/** A kind of list that is slow. */
export interface SlowList {
  fields: string[];
  sort?: string;
  asked: number;
  slow: number;
  p95_ms: number;
  last_at: string;
  /** A field that could have an index and has none. */
  propose?: string;
}
export const adviceQuery = (object: string) =>
  queryOptions({
    queryKey: ['objects', object, 'advice'],
    queryFn: ({ signal }) => api.get<{ items: SlowList[] }>(`/objects/${object}/advice`, { signal }),
    staleTime: 10_000,
  });
