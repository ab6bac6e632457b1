import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Problem } from './errors';

export type DemoPhase = 'idle' | 'queued' | 'loading' | 'computing' | 'removing' | 'done' | 'failed';
/** How far a load of the demo company is; figures are zero until it begins. */
export interface DemoState {
  available: boolean;
  removable: boolean;
  phase: DemoPhase;
  target: number;
  customers: number;
  orders: number;
  records: number;
  seconds: number;
  error: Problem | null;
}

const BUSY: ReadonlySet<DemoPhase> = new Set(['queued', 'loading', 'computing', 'removing']);
export const isDemoBusy = (state: DemoState): boolean => BUSY.has(state.phase);

/** Polls while a load goes on; the stream of events refreshes it as well. */
export const demoQuery = () =>
  queryOptions({
    queryKey: ['demo'],
    queryFn: ({ signal }) => api.get<DemoState>('/demo', { signal }),
    refetchInterval: (query) => (query.state.data !== undefined && isDemoBusy(query.state.data) ? 2_000 : false),
  });

export function useLoadDemo() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (customers: number) => api.post<DemoState>('/demo', { customers }),
    onSuccess: (state) => client.setQueryData(['demo'], state),
  });
}

export function useRemoveDemo() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (confirm: string) => api.post<DemoState>('/demo/remove', { confirm }),
    onSuccess: (state) => client.setQueryData(['demo'], state),
  });
}
