import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { CampaignEffect } from './campaigns';
import { api } from './client';
import type { Condition } from './conditions';
import type { Items, Ref } from './types';

export const JOURNEY_TRIGGERS = [
  'segment_entered',
  'segment_left',
  'event',
  'record',
  'date',
  'schedule',
  'api',
] as const;
export type JourneyTriggerKind = (typeof JOURNEY_TRIGGERS)[number];
export const JOURNEY_STEPS = [
  'wait',
  'branch',
  'split',
  'switch',
  'send',
  'coupon',
  'task',
  'update',
  'tag',
  'webhook',
  'goal',
  'exit',
] as const;
export type JourneyStepKind = (typeof JOURNEY_STEPS)[number];
export const JOURNEY_FEASTS = [
  'new_year',
  'spring',
  'lantern',
  'women',
  'qingming',
  'labour',
  'may20',
  'dragon_boat',
  'qixi',
  'mid_autumn',
  'double_ninth',
  'national',
  'double11',
  'winter',
] as const;

export interface JourneyMatch {
  property: string;
  op: string;
  value: string;
}
export interface JourneyTrigger {
  kind: JourneyTriggerKind | '';
  segment?: string;
  event?: string;
  match?: JourneyMatch[];
  entity?: string;
  object?: string;
  change?: string;
  where?: Condition;
  field?: string;
  yearly?: boolean;
  days?: number;
  every?: string;
  on?: number;
  feast?: string;
  at?: string;
  date?: string;
}
export interface JourneyWay {
  key: string;
  label?: string;
  where?: Condition;
  share?: number;
  value?: unknown;
  next: string;
}
export interface JourneyWait {
  days?: number;
  hours?: number;
  minutes?: number;
  at?: string;
  weekdays?: number[];
  date?: string;
  field?: string;
  event?: string;
}
export interface JourneyStep {
  key: string;
  kind: JourneyStepKind;
  name?: string;
  next?: string;
  ways?: JourneyWay[];
  wait?: JourneyWait;
  template?: string;
  purpose?: string;
  run?: string;
  field?: string;
  trait?: string;
  value?: unknown;
  add?: string[];
  remove?: string[];
  title?: string;
  text?: string;
  owner?: string;
  days?: number;
  offer?: string;
  url?: string;
}
export interface JourneyDefinition {
  trigger: JourneyTrigger;
  where?: Condition;
  reentry: { kind: string; days?: number };
  per_day?: number;
  total?: number;
  holdout: number;
  goal: { kind: string; event?: string; where?: Condition; days?: number };
  exit: { goal?: boolean; segment?: boolean; where?: Condition };
  start: string;
  steps: JourneyStep[] | null;
}
export type JourneyStatus = 'draft' | 'live' | 'paused' | 'stopped';
export interface JourneyStanding {
  entered: number;
  on: number;
  done: number;
  left: number;
  held: number;
  goal: number;
}
export interface Journey {
  id: string;
  name: string;
  status: JourneyStatus;
  trigger: JourneyTriggerKind | '';
  draft: JourneyDefinition;
  in_force?: JourneyDefinition;
  changed: boolean;
  published: number;
  version: number;
  reason: string;
  standing: JourneyStanding;
  updated_at: string;
  updated_by: Ref;
  began_at: string | null;
}
export interface JourneyProblem {
  step: string;
  at: string;
  code: string;
  message: string;
}
export interface JourneyStepCount {
  step: string;
  waiting: number;
  reached: number;
  outcomes: { outcome: string; count: number }[];
}
interface Arm {
  people: number;
  goal: number;
  over: number;
}
export interface JourneyCounts {
  standing: JourneyStanding;
  steps: JourneyStepCount[];
  entry: { outcome: string; count: number }[];
  treated: Arm;
  control: Arm;
  global: Arm;
  goal: CampaignEffect;
  balanced: boolean;
  open: boolean;
  at: string;
}
export interface JourneySimulation {
  past: 'passages' | 'events' | 'calendar' | 'unknown';
  from: string;
  to: string;
  days: { day: string; entered: number }[];
  entries: number;
  people: number;
  sample: number;
  held: number;
  steps: JourneyStepCount[];
}
export interface JourneyPerson {
  id: string;
  customer: Ref;
  journey: Ref;
  version: number;
  entry: number;
  arm: string;
  state: 'on' | 'done' | 'left' | 'held';
  step: string;
  step_name: string;
  entered_at: string;
  due_at: string | null;
  goal_at: string | null;
  ended_at: string | null;
  path: { step: string; kind: string; outcome: string; why: string; reason: string; at: string }[];
}
export interface JourneyPeople {
  items: JourneyPerson[];
  hidden: number;
  next: string;
}
export interface JourneyPlay {
  key: string;
  name: string;
  about: string;
  kind: string;
  missing: boolean;
}

export const journeysQuery = () =>
  queryOptions({
    queryKey: ['journeys'],
    queryFn: ({ signal }) => api.get<Items<Journey>>('/journeys', { signal }),
  });
export const journeyQuery = (id: string) =>
  queryOptions({
    queryKey: ['journeys', id],
    queryFn: ({ signal }) => api.get<Journey>(`/journeys/${id}`, { signal }),
  });
export const journeyCountsQuery = (id: string) =>
  queryOptions({
    queryKey: ['journeys', id, 'counts'],
    queryFn: ({ signal }) => api.get<JourneyCounts>(`/journeys/${id}/counts`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 5000,
  });
export const journeyPeopleQuery = (id: string, state: string, step: string) =>
  queryOptions({
    queryKey: ['journeys', id, 'people', state, step],
    queryFn: ({ signal }) => api.get<JourneyPeople>(`/journeys/${id}/people?state=${state}&step=${step}`, { signal }),
  });
export const journeyVersionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['journeys', id, 'versions'],
    queryFn: ({ signal }) =>
      api.get<Items<{ number: number; flight: string; by: Ref; at: string }>>(`/journeys/${id}/versions`, { signal }),
  });
export const journeyPlaysQuery = () =>
  queryOptions({
    queryKey: ['journey-plays'],
    queryFn: ({ signal }) => api.get<Items<JourneyPlay>>('/journey-plays', { signal }),
  });
export const customerJourneysQuery = (id: string) =>
  queryOptions({
    queryKey: ['journeys', 'of', id],
    queryFn: ({ signal }) => api.get<JourneyPeople>(`/customers/${id}/journeys`, { signal }),
  });
export const journeyCheckQuery = (definition: JourneyDefinition) =>
  queryOptions({
    queryKey: ['journeys', 'check', definition],
    queryFn: ({ signal }) => api.post<{ problems: JourneyProblem[] }>('/journeys/check', { definition }, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

function useAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSettled: () => client.invalidateQueries({ queryKey: ['journeys'] }),
  });
}
interface Saving {
  id?: string;
  version: number;
  name: string;
  definition: JourneyDefinition;
}
export const useSaveJourney = () =>
  useAction(({ id, version, name, definition }: Saving) =>
    id === undefined
      ? api.post<Journey>('/journeys', { name, definition })
      : api.patch<Journey>(`/journeys/${id}`, { name, definition }, { ifMatch: version }),
  );
export const usePublishJourney = () =>
  useAction(({ id, version, flight }: { id: string; version: number; flight: string }) =>
    api.post<Journey>(`/journeys/${id}/publish`, { version, flight }),
  );
export const useMoveJourney = () =>
  useAction(({ id, to }: { id: string; to: 'pause' | 'resume' | 'stop' }) =>
    api.post<Journey>(`/journeys/${id}/${to}`, {}),
  );
export const useDeleteJourney = () => useAction((id: string) => api.delete(`/journeys/${id}`));
export const usePlay = () => useAction((key: string) => api.post<Journey>(`/journey-plays/${key}`, {}));
export const useSimulateJourney = () =>
  useMutation({
    mutationFn: (input: { definition: JourneyDefinition; id?: string; days: number }) =>
      api.post<JourneySimulation>('/journeys/simulate', input),
  });
