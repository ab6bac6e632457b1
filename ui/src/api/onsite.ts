import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items } from './types';

export const ONSITE_KINDS = ['popup', 'banner'] as const;
export const ONSITE_MOMENTS = ['load', 'scroll', 'leave'] as const;
export type OnsiteKind = (typeof ONSITE_KINDS)[number];
export type OnsiteMoment = (typeof ONSITE_MOMENTS)[number];
export type OnsiteStatus = 'draft' | 'active' | 'ended';
export interface OnsiteWords {
  title: string;
  text: string;
  button: string;
  url: string;
  image: string;
}
export interface OnsitePlan {
  kind: OnsiteKind;
  locale: string;
  words: Record<string, OnsiteWords>;
  sources: string[];
  paths: string[];
  on: OnsiteMoment;
  after: number;
  segments: string[];
  except: string[];
  from: string;
  to: string;
  per_day: number;
  total: number;
  rank: number;
}
export interface OnsiteMessage {
  id: string;
  name: string;
  status: OnsiteStatus;
  plan: OnsitePlan;
  version: number;
  viewed: number;
  viewers: number;
  clicked: number;
  clickers: number;
  dismissed: number;
}
export const onsiteQuery = () =>
  queryOptions({
    queryKey: ['onsite'],
    queryFn: ({ signal }) => api.get<Items<OnsiteMessage>>('/onsite-messages', { signal }),
  });
export const onsiteMessageQuery = (id: string) =>
  queryOptions({
    queryKey: ['onsite', id],
    queryFn: ({ signal }) => api.get<OnsiteMessage>(`/onsite-messages/${id}`, { signal }),
  });
interface Input {
  id?: string;
  version: number;
  name: string;
  plan: OnsitePlan;
  status?: OnsiteStatus;
}
export function useSaveOnsite() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version, name, plan, status }: Input) =>
      id === undefined
        ? api.post<OnsiteMessage>('/onsite-messages', { name, plan })
        : api.patch<OnsiteMessage>(
            `/onsite-messages/${id}`,
            { name, plan, ...(status !== undefined && { status }) },
            { ifMatch: version },
          ),
    onSettled: () => client.invalidateQueries({ queryKey: ['onsite'] }),
  });
}
