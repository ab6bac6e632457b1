import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { api } from './client';
import type { Items, Page } from './types';

export const EVENT_STATES = ['accepted', 'duplicate', 'collision', 'rejected'] as const;
export type EventState = (typeof EVENT_STATES)[number];
export const EVENT_KINDS = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const;
export const EVENT_FLAGS = [
  'bot',
  'unplanned',
  'collision',
  'future_time',
  'no_time',
  'historic',
  'no_consent',
] as const;
export const PROPERTY_TYPES = ['any', 'text', 'number', 'integer', 'bool', 'time', 'object', 'list'] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];
export const PLAN_ACTS = ['allow', 'flag', 'quarantine'] as const;
export type PlanAct = (typeof PLAN_ACTS)[number];

interface Source {
  id: string;
  /** Empty for one that is deleted. */
  name: string;
}
export interface EventTrouble {
  code: string;
  property: string;
  text: string;
}
export interface LiveEvent {
  id: string;
  state: EventState;
  source: Source;
  kind: string;
  name: string;
  message_id: string;
  at: string;
  received_at: string;
  claimed_at: string | null;
  flags: string[];
  user_id: string;
  anonymous_id: string;
  profile: string;
  customer: { id: string; object: string; title: string } | null;
  page: string;
  trouble: EventTrouble[];
}
export interface LiveEvents {
  items: LiveEvent[];
  sources: Source[];
}
export interface LiveDetail {
  event: LiveEvent;
  group_id: string;
  previous_id: string;
  properties: Record<string, unknown>;
  context: Record<string, unknown>;
}
export interface LiveFilter {
  source?: string | undefined;
  name?: string | undefined;
  kind?: string | undefined;
  state?: string | undefined;
  flag?: string | undefined;
  person?: string | undefined;
}
export interface LearnedProperty {
  path: string;
  count: number;
  types: Record<string, number>;
  examples: string[];
  first_at: string;
  last_at: string;
}
export interface EventName {
  source: Source;
  name: string;
  kind: string;
  count: number;
  first_at: string;
  last_at: string;
  days: { day: string; count: number }[];
  planned: boolean;
  properties?: LearnedProperty[];
}
export interface PlannedProperty {
  name: string;
  note?: string;
  type?: PropertyType;
  required?: boolean;
  values?: string[];
}
export interface PlannedEvent {
  name: string;
  note?: string;
  act?: PlanAct;
  closed?: boolean;
  properties?: PlannedProperty[];
}
export interface EventPlan {
  version: number;
  at: string | null;
  unplanned: PlanAct;
  events: PlannedEvent[];
}
export interface RejectedEvent {
  id: string;
  source: Source;
  received_at: string;
  message_id: string;
  kind: string;
  name: string;
  code: string;
  held: boolean;
  trouble: EventTrouble[];
  body: unknown;
}
export interface RejectedPage extends Page<RejectedEvent> {
  codes: { code: string; text: string; count: number }[];
}
export interface RejectedWhich {
  ids?: string[];
  name?: string;
  code?: string;
  search?: string;
  all?: boolean;
}
export const EVENT_STEPS = ['rename_event', 'rename', 'cast', 'remove', 'set', 'user_id'] as const;
export interface EventStep {
  do: (typeof EVENT_STEPS)[number];
  event?: string;
  property?: string;
  to?: string;
}
export interface Replayed {
  items: { id: string; state: string; code: string; text: string; body?: unknown }[];
  accepted: number;
  repeated: number;
  refused: number;
  done: boolean;
}

const LOOK_AGAIN = 1_500;

export const liveEventsQuery = (filter: LiveFilter, watching: boolean) =>
  queryOptions({
    queryKey: ['tracking', 'live', filter],
    queryFn: ({ signal }) => api.get<LiveEvents>('/events/live', { query: { ...filter }, signal }),
    refetchInterval: watching ? LOOK_AGAIN : false,
    refetchOnWindowFocus: watching,
    placeholderData: keepPreviousData,
  });
export const liveEventQuery = (id: string) =>
  queryOptions({
    queryKey: ['tracking', 'one', id],
    queryFn: ({ signal }) => api.get<LiveDetail>(`/events/live/${id}`, { signal }),
  });
export const eventNamesQuery = () =>
  queryOptions({
    queryKey: ['tracking', 'names'],
    queryFn: ({ signal }) => api.get<Items<EventName>>('/events/names', { signal }),
  });
export const eventNameQuery = (source: string, name: string) =>
  queryOptions({
    queryKey: ['tracking', 'names', source, name],
    queryFn: ({ signal }) => api.get<EventName>('/events/names/one', { query: { source, name }, signal }),
  });
export const eventPlanQuery = () =>
  queryOptions({
    queryKey: ['tracking', 'plan'],
    queryFn: ({ signal }) => api.get<EventPlan>('/events/plan', { signal }),
  });
export const draftEventPlan = () => api.get<EventPlan>('/events/plan/draft');
export const rejectedEventsQuery = (which: RejectedWhich) =>
  infiniteQueryOptions({
    queryKey: ['tracking', 'rejected', which],
    queryFn: ({ pageParam, signal }) =>
      api.get<RejectedPage>('/events/rejected', {
        query: { name: which.name, code: which.code, search: which.search, cursor: pageParam },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });

function useTracking<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: ['tracking'] }) });
}

export const useForgetEvent = () =>
  useTracking(({ source, name }: { source: string; name: string }) =>
    api.delete('/events/names/one', { query: { source, name } }),
  );
export const useSetEventPlan = () =>
  useTracking((plan: EventPlan) =>
    api.post<EventPlan>('/events/plan', { version: plan.version, unplanned: plan.unplanned, events: plan.events }),
  );
export const tryReplay = (which: RejectedWhich, steps: EventStep[]) =>
  api.post<Replayed>('/events/rejected/replay', { which, steps, try: true });

/** Everything that is chosen, in as many requests as it takes. What is refused again stays, and is not tried twice. */
async function untilDone<T extends { done: boolean }>(
  ask: () => Promise<T>,
  goesOn: (answer: T) => boolean,
): Promise<T[]> {
  const answers: T[] = [];
  for (;;) {
    const answer = await ask();
    answers.push(answer);
    if (answer.done || !goesOn(answer)) return answers;
  }
}
export const useReplayEvents = () =>
  useTracking(async ({ which, steps }: { which: RejectedWhich; steps: EventStep[] }) => {
    const answers = await untilDone(
      () => api.post<Replayed>('/events/rejected/replay', { which, steps }),
      (answer) => answer.refused === 0,
    );
    const sum = (of: (answer: Replayed) => number) => answers.reduce((all, answer) => all + of(answer), 0);
    return {
      items: answers.flatMap((answer) => answer.items),
      accepted: sum((answer) => answer.accepted),
      repeated: sum((answer) => answer.repeated),
      refused: sum((answer) => answer.refused),
    };
  });
export const useDeleteRejected = () =>
  useTracking(async (which: RejectedWhich) => {
    const answers = await untilDone(
      () => api.post<{ count: number; done: boolean }>('/events/rejected/delete', { which }),
      () => true,
    );
    return answers.reduce((all, answer) => all + answer.count, 0);
  });
