import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { Condition, Operator } from './conditions';
import type { FieldError } from './errors';
import type { Items, Page, Ref } from './types';

export const TRIGGERS = [
  'created',
  'changed',
  'enters',
  'leaves',
  'date',
  'schedule',
  'manual',
  'hook',
  'deleted',
  'restored',
  'file_added',
  'file_removed',
] as const;
export type TriggerKind = (typeof TRIGGERS)[number];
export const STEP_KINDS = [
  'update',
  'create',
  'assign',
  'tag',
  'notify',
  'email',
  'webhook',
  'wait',
  'branch',
  'stop',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface ValueTest {
  op: Operator;
  value?: unknown;
}
export interface FieldTest {
  field: string;
  from?: ValueTest;
  to?: ValueTest;
}
export interface Trigger {
  kind: TriggerKind;
  changes?: FieldTest[];
  field?: string;
  days?: number;
  at?: string;
  yearly?: boolean;
  every?: 'day' | 'week' | 'month';
  weekdays?: number[];
  month_day?: number;
  match?: string;
  path?: string;
  segment?: string;
}
/** Exactly one of the ways to come to a value. */
export interface Setting {
  field: string;
  value?: unknown;
  formula?: string;
  from?: string;
  text?: string;
  after?: { days: number; at?: string };
}
export interface Wait {
  kind: 'time' | 'date' | 'condition';
  amount?: number;
  unit?: 'minute' | 'hour' | 'day';
  field?: string;
  at?: string;
  where?: Condition;
  expired?: 'continue' | 'stop';
}
export interface Wording {
  subject: string;
  text: string;
}
export interface Mail extends Wording {
  to: 'field' | 'person' | 'address';
  field?: string;
  person?: string;
  address?: string;
  reply_to?: string;
  /** What it is for, in the words of consents; '' for a mail of work. */
  purpose?: string;
  translations?: Partial<Record<'zh-CN' | 'en', Wording>>;
}
export interface TrialMail extends Wording {
  /** Masked. */
  to: string;
  name: string;
  locale: string;
  html: string;
}
export interface Step {
  id: string;
  kind: StepKind;
  note?: string;
  on?: string;
  object?: string;
  values?: Setting[];
  field?: string;
  add?: string[];
  remove?: string[];
  how?: 'person' | 'turn' | 'load' | 'customer_owner';
  people?: string[];
  team?: string;
  to?: ('owner' | 'customer_owner' | 'runner')[];
  text?: string;
  mail?: Mail;
  url?: string;
  fields?: string[];
  wait?: Wait;
  where?: Condition;
  then?: Step[];
  else?: Step[];
}
export interface Definition {
  object: string;
  trigger: Trigger;
  where?: Condition;
  steps: Step[];
  per_hour?: number;
}
export interface Automation {
  id: string;
  name: string;
  description: string;
  state: 'on' | 'off' | 'paused';
  /** Why the program paused it: loop, runner, broken. */
  reason: string;
  /** Null: the program itself. */
  run_as: Ref | null;
  revision: number;
  version: number;
  object: string;
  trigger: TriggerKind;
  definition: Definition;
  sentences: Record<string, Label>;
  next_at: string | null;
  today: { started: number; done: number; failed: number; looped: number };
  live: number;
  failed: number;
  last_at: string | null;
  updated_at: string;
}
export interface AutomationInput {
  name?: string;
  description?: string;
  state?: 'on' | 'off';
  run_as?: string;
  definition?: Definition;
}
export const RUN_STATES = ['ready', 'waiting', 'done', 'stopped', 'failed', 'looped', 'cancelled'] as const;
export type RunState = (typeof RUN_STATES)[number];
export interface AutomationRun {
  id: string;
  revision: number;
  record: Ref;
  state: RunState;
  step: string;
  problem: string;
  tries: number;
  due_at: string | null;
  by: Ref | null;
  chain: string[];
  created_at: string;
  ended_at: string | null;
}
export interface RunStep {
  number: number;
  step: string;
  kind: StepKind;
  outcome: string;
  at: string;
  detail: {
    fields?: string[];
    object?: string;
    record?: string;
    people?: string[];
    until?: string;
    status?: number;
    host?: string;
    tries?: number;
    mail?: string;
    request?: string;
  };
  problem: string;
}
export interface AutomationCheck {
  ok: boolean;
  problems: FieldError[];
  sentences: Record<string, Label>;
}
export interface TrialStep {
  step: string;
  kind: StepKind;
  outcome: string;
  record: Ref | null;
  object: string;
  changes: { field: string; label: Label; before: unknown; after: unknown }[];
  people: Ref[];
  text: string;
  until: string | null;
  body?: unknown;
  mail?: TrialMail;
  problem: string;
}
export interface RuleTrial {
  fits: boolean;
  steps: TrialStep[];
}
export interface LookBack {
  runs: number;
  records: number;
  complete: boolean;
  now: boolean;
}
export interface Revision {
  revision: number;
  at: string;
  by: Ref | null;
  live: number;
  definition: Definition;
}
export interface HookSecrets {
  url: string;
  token: string;
  signing: string;
}

const LOOK_AGAIN = 5_000;
const key = ['automations'] as const;

export const automationsQuery = () =>
  queryOptions({
    queryKey: key,
    queryFn: ({ signal }) => api.get<Items<Automation>>('/automations', { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const automationQuery = (id: string) =>
  queryOptions({
    queryKey: [...key, id],
    queryFn: ({ signal }) => api.get<Automation>(`/automations/${id}`, { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const automationRunsQuery = (id: string, state: RunState | null) =>
  infiniteQueryOptions({
    queryKey: [...key, id, 'runs', state],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<AutomationRun>>(`/automations/${id}/runs`, { query: { state, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    refetchInterval: LOOK_AGAIN,
  });
export const automationRunQuery = (id: string, run: string) =>
  queryOptions({
    queryKey: [...key, id, 'run', run],
    queryFn: ({ signal }) =>
      api.get<{ run: AutomationRun; steps: RunStep[] }>(`/automations/${id}/runs/${run}`, { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const automationRevisionsQuery = (id: string) =>
  queryOptions({
    queryKey: [...key, id, 'revisions'],
    queryFn: ({ signal }) => api.get<Items<Revision>>(`/automations/${id}/revisions`, { signal }),
  });
export const hookSecretsQuery = (id: string) =>
  queryOptions({
    queryKey: [...key, id, 'secrets'],
    queryFn: ({ signal }) => api.get<HookSecrets>(`/automations/${id}/secrets`, { signal }),
    staleTime: 0,
    gcTime: 0,
  });
export const automationCheckQuery = (definition: Definition, runAs: string) =>
  queryOptions({
    queryKey: [...key, 'check', definition, runAs],
    queryFn: ({ signal }) => api.post<AutomationCheck>('/automations/check', { definition, run_as: runAs }, { signal }),
    staleTime: 60_000,
    retry: false,
  });
export const manualAutomationsQuery = (object: string) =>
  queryOptions({
    queryKey: [...key, 'manual', object],
    queryFn: ({ signal }) =>
      api.get<Items<{ id: string; name: string; description: string }>>(`/objects/${object}/automations`, { signal }),
  });

function useAutomationAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: key }) });
}

export const useCreateAutomation = () =>
  useAutomationAction((input: AutomationInput) => api.post<Automation>('/automations', input));
export const useSaveAutomation = () =>
  useAutomationAction(({ id, version, change }: { id: string; version?: number; change: AutomationInput }) =>
    api.patch<Automation>(`/automations/${id}`, change, { ifMatch: version }),
  );
export const useDeleteAutomation = () => useAutomationAction((id: string) => api.delete(`/automations/${id}`));
export const useRunsAction = (what: 'replay' | 'skip' | 'cancel') =>
  useAutomationAction(({ id, run }: { id: string; run?: string }) =>
    api.post<{ count: number }>(`/automations/${id}/${what}`, run === undefined ? {} : { run }),
  );
export const useRotateHook = () =>
  useAutomationAction((id: string) => api.post<HookSecrets>(`/automations/${id}/secrets/rotate`, {}));
export const useTrial = () =>
  useMutation({
    mutationFn: (input: { definition: Definition; run_as: string; record: string }) =>
      api.post<RuleTrial>('/automations/try', input),
  });
export const useLookBack = () =>
  useMutation({
    mutationFn: (input: { definition: Definition; run_as: string }) =>
      api.post<LookBack>('/automations/look-back', input),
  });
/** Single records, or everything that fulfils a condition but for some. */
export type PressSet = { records: string[] } | { all: true; where?: Condition; except?: string[] };
export const pressAutomation = (id: string, set: PressSet, request: string) =>
  api.post<{ count: number }>(`/automations/${id}/run`, { ...set, request });
