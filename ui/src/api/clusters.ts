import { queryOptions } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { Condition } from './conditions';
import type { Classification } from './types-insight';

export interface ClusterTrait {
  key: string;
  label: Label;
  kind: 'money' | 'share' | 'number';
  unit: Label | null;
  mean: number;
}
export interface ClusterFeature {
  trait: string;
  high: boolean;
  apart: number;
  mean: number;
}
export interface Cluster {
  key: string;
  number: number;
  count: number;
  share: number;
  learned: number;
  apart: number[];
  means: number[];
  features: ClusterFeature[];
  where: Condition;
}
export interface Clusters {
  ready: boolean;
  running: boolean;
  version: number;
  until: string;
  traits: ClusterTrait[];
  groups: Cluster[];
  trials: { groups: number; silhouette: number; stability: number; smallest: number }[];
  suggested: number;
  drift: number;
  currency: string;
  notes: { level: 'info' | 'warning'; text: string }[];
}

export const clustersQuery = () =>
  queryOptions({
    queryKey: ['clusters'],
    queryFn: ({ signal }) => api.get<Clusters>('/clusters', { signal }),
    staleTime: 30_000,
    refetchInterval: ({ state }) => (state.data?.running === true || state.data?.ready === false ? 3000 : false),
  });

export const clustersToClasses = (label: string, groups: Record<string, string>) =>
  api.post<Classification>('/clusters/classification', { label, groups });
