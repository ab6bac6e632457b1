import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items, View, ViewAudience, ViewShare } from './types';

export const viewsQuery = (object: string) =>
  queryOptions({
    queryKey: ['views', object],
    queryFn: ({ signal }) => api.get<Items<View>>('/views', { query: { object }, signal }),
    staleTime: 60_000,
  });

export type ViewInput = Partial<
  Pick<View, 'name' | 'shared' | 'columns' | 'where' | 'sort' | 'kind' | 'options' | 'pinned' | 'position'>
> & { shares?: Pick<ViewShare, 'kind' | 'to' | 'access'>[] };

export function useSaveView(object: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { id?: string; version?: number; view: ViewInput }) =>
      input.id === undefined
        ? api.post<View>('/views', { object, ...input.view })
        : api.patch<View>(`/views/${input.id}`, input.view, { ifMatch: input.version }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['views', object] }),
  });
}

export function useDeleteView(object: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/views/${id}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['views', object] }),
  });
}

export function useDefaultView(object: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...choice }: { id: string; for: 'me' | ViewAudience; to?: string; on: boolean }) =>
      api.post(`/views/${id}/default`, { object, ...choice }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['views', object] }),
  });
}

/** Roles that views can be shared with; built-in ones have no name. */
export const viewRolesQuery = () =>
  queryOptions({
    queryKey: ['views-roles'],
    queryFn: ({ signal }) => api.get<Items<{ key: string; name: string }>>('/views/roles', { signal }),
  });

/** How many views each person has. */
export const viewOwnersQuery = () =>
  queryOptions({
    queryKey: ['views-owners'],
    queryFn: ({ signal }) => api.get<Items<{ user: string; views: number }>>('/views/owners', { signal }),
  });

export function useHandOverViews() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { from: string; to: string }) => api.post<{ views: number }>('/views/hand-over', input),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['views'] }),
        client.invalidateQueries({ queryKey: ['views-owners'] }),
      ]),
  });
}
