import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items, Label, Money } from './types';
import type { ClassRule } from './types-insight';

export type StagePhase = 'growing' | 'at_risk' | 'lost' | 'back';
/** A stage with its figures. Days are -1 where they are not known. */
export interface LifecycleStage {
  key: string;
  label: Label;
  color: string;
  sentence?: Label;
  rank: number;
  phase: StagePhase;
  now: number;
  before: number;
  entered: number;
  left: number;
  onwards: number;
  lost: number;
  ever: number;
  quarter: number;
  median: number;
  three_quarters: number;
  stays: number;
  going: number;
  curve: { days: number; share: number; low: number; high: number }[];
}
export interface ClassFlow {
  from: string;
  to: string;
  count: number;
}
export interface LifecycleCohort {
  group: string;
  label?: Label;
  size: number;
  young: number;
  reached: Record<string, number>;
}
export interface LifecycleGoal {
  class: string;
  kind: 'share' | 'conversion';
  target: number;
  below: boolean;
  due: string;
  start: number;
  set: string;
  actual: number | null;
}
export interface LifecycleReport {
  classification: string;
  label: Label;
  known: boolean;
  since?: string;
  replayed?: string;
  from?: string;
  to?: string;
  now?: string;
  stages: LifecycleStage[];
  flows: ClassFlow[];
  sizes: { day: string; counts: Record<string, number> }[];
  within: number;
  by: 'month' | 'source';
  cohorts: LifecycleCohort[];
  ever_customers: number;
  goals: LifecycleGoal[];
}
export interface LifecycleAsk {
  classification: string;
  from: string;
  to: string;
  within: number;
  by: 'month' | 'source';
}
export const lifecycleQuery = (ask: LifecycleAsk) =>
  queryOptions({
    queryKey: ['classifications', 'lifecycle', ask],
    queryFn: ({ signal }) =>
      api.get<LifecycleReport>(`/lifecycle?${new URLSearchParams({ ...ask, within: String(ask.within) }).toString()}`, {
        signal,
      }),
    staleTime: 30_000,
    placeholderData: (before) => before,
  });

/** Which figure's customers are wanted. */
export interface StageBehind {
  figure: 'in' | 'flow' | 'move' | 'reached' | 'group';
  from?: string;
  to?: string;
  begin?: string;
  end?: string;
  by?: string;
  group?: string;
  class?: string;
  within?: number;
}
export interface PeoplePage {
  total: number | null;
  items: { id: string; title: string; subtitle: string }[];
  next_cursor: string | null;
}
export const stagePeopleQuery = (classification: string, behind: StageBehind) =>
  infiniteQueryOptions({
    queryKey: ['classifications', 'people', classification, behind],
    queryFn: ({ pageParam, signal }) =>
      api.post<PeoplePage>('/lifecycle/people', { classification, behind, cursor: pageParam, limit: 50 }, { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    retry: false,
  });
/** Who would move under an edit of classes. */
export const movingPeopleQuery = (key: string, classes: ClassRule[], from: string, to: string) =>
  infiniteQueryOptions({
    queryKey: ['classifications', key, 'moving', classes, from, to],
    queryFn: ({ pageParam, signal }) =>
      api.post<PeoplePage>(
        `/classifications/${key}/moving`,
        { classes, from, to, cursor: pageParam, limit: 50 },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    retry: false,
  });

export interface StageTemplate {
  key: string;
  label: Label;
  description: Label;
  classes: ClassRule[];
}
export const stageTemplatesQuery = () =>
  queryOptions({
    queryKey: ['classifications', 'templates'],
    queryFn: ({ signal }) => api.get<Items<StageTemplate>>('/lifecycle/templates', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export interface StageGoalInput {
  classification: string;
  class: string;
  kind: 'share' | 'conversion';
  target: number;
  below: boolean;
  due?: string;
}
export function useSetStageGoal() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: StageGoalInput) => api.post<unknown>('/lifecycle/goals', input),
    onSuccess: () => client.invalidateQueries({ queryKey: ['classifications', 'lifecycle'] }),
  });
}

export interface ClassQualityLine {
  key: string;
  count: number;
  share: number;
  stable_30: number | null;
  stable_90: number | null;
  then: number;
  mean: Money | null;
  rest: Money | null;
  lift: number | null;
  low: number | null;
  high: number | null;
  buying: number | null;
}
export interface ClassQuality {
  balance: number;
  stable_30: number | null;
  stable_90: number | null;
  since?: string;
  later_from?: string;
  later_to?: string;
  explained: number | null;
  classes: ClassQualityLine[];
  overlaps: { key: string; label: Label; v: number }[];
}
export const classQualityQuery = (key: string) =>
  queryOptions({
    queryKey: ['classifications', key, 'quality'],
    queryFn: ({ signal }) => api.get<ClassQuality>(`/classifications/${key}/quality`, { signal }),
    staleTime: 60_000,
  });

export interface ClassCutting {
  way: 'quantile' | 'natural' | 'later';
  cuts: number[];
  sizes: number[];
  explained: number;
  classes: ClassRule[];
}
export interface ClassCuts {
  trait: string;
  label: Label;
  now: number[];
  explained: number;
  from?: string;
  to?: string;
  suggestions: ClassCutting[];
}
export const classCutsQuery = (key: string) =>
  queryOptions({
    queryKey: ['classifications', key, 'cuts'],
    queryFn: ({ signal }) => api.get<ClassCuts>(`/classifications/${key}/cuts`, { signal }),
    staleTime: 60_000,
    retry: false,
  });

export interface ClassStep {
  classification: string;
  label: Label;
  key: string;
  class_label: Label;
  color: string;
  day: string;
  until?: string;
  days: number;
  first: boolean;
  replayed: boolean;
  sentence?: Label;
}
export const classStepsQuery = (customer: string) =>
  queryOptions({
    queryKey: ['classifications', 'steps', customer],
    queryFn: ({ signal }) => api.get<Items<ClassStep>>(`/customers/${customer}/classes`, { signal }),
    staleTime: 30_000,
  });
