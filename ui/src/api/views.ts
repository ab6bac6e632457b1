import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items, View } from './types';

export const viewsQuery = (object: string) =>
  queryOptions({
    queryKey: ['views', object],
    queryFn: ({ signal }) => api.get<Items<View>>('/views', { query: { object }, signal }),
    staleTime: 60_000,
  });

export type ViewInput = Partial<Omit<View, 'id' | 'mine' | 'builtin' | 'version' | 'default'>>;

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
    mutationFn: (input: { id: string; for: 'me' | 'everyone'; on: boolean }) =>
      api.post(`/views/${input.id}/default`, { object, for: input.for, on: input.on }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['views', object] }),
  });
}
