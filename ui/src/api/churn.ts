import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Condition } from './conditions';
import type { Items, Label, Money, Ref, Sort } from './types';

/** Who is leaving; every figure comes with the condition that lists those behind it. */
export interface ChurnOverview {
  ready: boolean;
  bands: { key: string; label: Label; color: string; customers: number; spend: Money; where: Condition }[];
  risks: { from: number; to: number; customers: number; where: Condition }[];
  drivers: { key: string; label: Label; customers: number; where: Condition }[];
  leaving: { by: 'clv' | 'spend_365d'; floor: Money | null; share: number; where: Condition; sort: Sort[] };
}
export interface ChurnGroup {
  key: string;
  label: Label | null;
  color: string;
  customers: number;
  lost: number;
  median: number | null;
  after12: number;
  curve: { months: number; share: number; low: number; high: number; at_risk: number }[];
}
export interface ChurnSurvival {
  anchor: string;
  all: ChurnGroup;
  groups: ChurnGroup[];
  p: number | null;
}
export interface ChurnWeight {
  key: string;
  label: Label;
  customers: number;
  share: number;
  usual: number;
  /** 1 above what chance makes of the usual share, -1 below. */
  stands: -1 | 0 | 1;
  where: Condition;
}
export interface ChurnReasoned {
  key: string;
  label: Label | null;
  customers: number;
  few: boolean;
  where: Condition;
  weights: ChurnWeight[];
}
export interface ChurnStanding {
  active: number;
  lost: number;
  typical: number;
  limits: [number, number, number];
}
export interface ChurnRuleInput {
  version?: number;
  name: string;
  off: boolean;
  risk: number;
  segment: string;
  where: Condition | null;
  owner: boolean;
  person: string;
  due: number;
  rest: number;
  back: number;
  most: number;
  note: string;
}
export interface ChurnRule extends Omit<ChurnRuleInput, 'person'> {
  id: string;
  version: number;
  sentence: Label;
  person: Ref;
  results: {
    made: number;
    open: number;
    done: number;
    done_back: number;
    other: number;
    other_back: number;
    running: number;
    last: string | null;
  };
}

const FRESH = { staleTime: 30_000 };

export const churnQuery = () =>
  queryOptions({
    queryKey: ['churn'],
    queryFn: ({ signal }) => api.get<ChurnOverview>('/churn', { signal }),
    ...FRESH,
  });
export const churnWhysQuery = (by: string) =>
  queryOptions({
    queryKey: ['churn', 'whys', by],
    queryFn: ({ signal }) =>
      api.get<{ items: ChurnReasoned[] }>(`/churn/whys?${new URLSearchParams({ by }).toString()}`, { signal }),
    placeholderData: (before) => before,
  });

export const churnSurvivalQuery = (by: string) =>
  queryOptions({
    queryKey: ['churn', 'survival', by],
    queryFn: ({ signal }) =>
      api.get<ChurnSurvival>(`/churn/survival?${new URLSearchParams({ by }).toString()}`, { signal }),
    placeholderData: (before) => before,
    ...FRESH,
  });
export const churnPreviewQuery = (options: Record<string, unknown>) =>
  queryOptions({
    queryKey: ['churn', 'preview', options],
    queryFn: ({ signal }) => api.post<ChurnStanding>('/churn/preview', { options }, { signal }),
    placeholderData: (before) => before,
    retry: false,
    ...FRESH,
  });
export const churnRulesQuery = () =>
  queryOptions({
    queryKey: ['churn', 'rules'],
    queryFn: ({ signal }) => api.get<Items<ChurnRule>>('/churn/rules', { signal }),
  });

function useChurnMutation<In, Out>(run: (input: In) => Promise<Out>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: () => client.invalidateQueries({ queryKey: ['churn', 'rules'] }),
  });
}
export const useSaveChurnRule = () =>
  useChurnMutation(({ id, rule }: { id: string; rule: ChurnRuleInput }) =>
    id === '' ? api.post<ChurnRule>('/churn/rules', rule) : api.patch<ChurnRule>(`/churn/rules/${id}`, rule),
  );
export const useDropChurnRule = () => useChurnMutation((id: string) => api.delete(`/churn/rules/${id}`));
export const useRunChurnRules = () => useChurnMutation(() => api.post('/churn/run', {}));
export const previewChurnRule = (rule: ChurnRuleInput) =>
  api.post<{ found: number; now: number }>('/churn/rules/preview', rule);
