import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { Condition } from './conditions';
import type { Money } from './types';

export const PLAY_KINDS = ['task', 'rule', 'note'] as const;
export const PLAY_WORTHS = ['basket', 'year', 'clv', 'fixed'] as const;
export const PLAY_CHANNELS = ['phone', 'wechat', 'sms', 'email', 'push', 'post'] as const;

/** A play as it is written. */
export interface PlayDraft {
  label: Label;
  what: Label;
  on: boolean;
  stages: string[];
  where: Condition | null;
  kind: (typeof PLAY_KINDS)[number];
  rule: string;
  due: number;
  reach: string[];
  lift: number;
  worth: (typeof PLAY_WORTHS)[number];
  amount: number;
  cost: number;
  window: number;
  rest: number;
  held: number;
  version: number;
}
export interface Play extends PlayDraft {
  key: string;
  standard: boolean;
  changed: boolean;
  sentence: Label;
  eligible: Condition;
  found: {
    day: string;
    eligible: number;
    held: number;
    resting: number;
    offered: number;
    gain: Money;
    broken: boolean;
  } | null;
  learned: { lift: number; seen: number; low: number; high: number } | null;
  picked: { taken: number; dismissed: number; snoozed: number; done: number; bought: number; revenue: Money };
  result: {
    verdict: 'no_holdout' | 'waiting' | 'mismatch' | 'better' | 'worse' | 'unclear' | 'unknown';
    treated: number;
    control: number;
    with: number;
    without: number;
    lift: number;
    low: number;
    high: number;
    p: number;
    total: Money;
    total_low: Money;
    total_high: Money;
    has_total: boolean;
    share: number;
    need: number;
  };
}
export interface Plays {
  items: Play[];
  at_most: number;
  span: number;
  currency: string;
}
export interface ActionLine {
  customer: { id: string; title: string; subtitle: string };
  owner: string;
  play: string;
  label: Label;
  gain: Money;
}
export interface ActionWorkPage {
  items: ActionLine[];
  total: number | null;
  next_cursor: string | null;
}
export interface Offer {
  play: string;
  label: Label;
  what: Label;
  kind: Play['kind'];
  due: number;
  sentence: Label;
  traits: string[];
  gain: Money;
  lift: number;
  learned: boolean;
  low: number;
  high: number;
  worth: Money;
  usual: boolean;
  worth_is: Play['worth'];
  cost: Money;
  window: number;
  turned: number;
  stage: number;
}
export interface CustomerActions {
  offers: Offer[];
  full: boolean;
  past: {
    play: string;
    label: Label;
    pick: Pick;
    reason: string;
    day: string;
    until: string;
    bought: boolean | null;
  }[];
}
type Pick = 'taken' | 'dismissed' | 'snoozed';
export interface Decided {
  done: number;
  items: { customer: string; play: string; task: string; error: { title: string; detail?: string } | null }[];
}

const key = ['actions'] as const;

/** Of a play, what is written. */
const written = (draft: PlayDraft): PlayDraft => ({
  label: draft.label,
  what: draft.what,
  on: draft.on,
  stages: draft.stages,
  where: draft.where,
  kind: draft.kind,
  rule: draft.kind === 'rule' ? draft.rule : '',
  due: draft.due,
  reach: draft.reach,
  lift: draft.lift,
  worth: draft.worth,
  amount: draft.amount,
  cost: draft.cost,
  window: draft.window,
  rest: draft.rest,
  held: draft.held,
  version: draft.version,
});

export const playsQuery = () =>
  queryOptions({
    queryKey: [...key, 'plays'],
    queryFn: ({ signal }) => api.get<Plays>('/actions', { signal }),
    staleTime: 10_000,
    refetchInterval: ({ state }) =>
      state.data?.items.some((play) => play.on && play.found === null) === true ? 4000 : false,
  });

export const actionWorkQuery = (ask: { play: string; mine: boolean }) =>
  infiniteQueryOptions({
    queryKey: [...key, 'work', ask],
    queryFn: ({ signal, pageParam }) =>
      api.get<ActionWorkPage>('/actions/work', {
        signal,
        query: { play: ask.play, mine: ask.mine ? 'true' : '', cursor: pageParam },
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    staleTime: 10_000,
  });

export const customerActionsQuery = (id: string) =>
  queryOptions({
    queryKey: [...key, 'customer', id],
    queryFn: ({ signal }) => api.get<CustomerActions>(`/customers/${id}/actions`, { signal }),
    staleTime: 10_000,
  });

export const playCountQuery = (draft: PlayDraft | null) =>
  queryOptions({
    queryKey: [...key, 'count', draft?.stages, draft?.where, draft?.reach],
    queryFn: ({ signal }) =>
      api.post<{ meant: number; eligible: number; sentence: Label }>(
        '/actions/count',
        draft === null ? null : written(draft),
        { signal },
      ),
    enabled: draft !== null,
    staleTime: 30_000,
    placeholderData: (old) => old,
    retry: false,
  });

/** Whatever is decided or changed, all figures of plays are read anew. */
function useAnew() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: key });
}

export function useSavePlay() {
  const anew = useAnew();
  return useMutation({
    mutationFn: ({ key: name, draft }: { key: string; draft: PlayDraft }) =>
      api.patch<Play>(`/actions/${name}`, written(draft)),
    onSuccess: anew,
  });
}

export function useDropPlay() {
  const anew = useAnew();
  return useMutation({ mutationFn: (name: string) => api.delete(`/actions/${name}`), onSuccess: anew });
}

export interface Decision {
  pick: Pick;
  reason?: string;
  days?: number;
  items: { customer: string; play: string }[];
}

export function useDecide() {
  const anew = useAnew();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (decision: Decision) => api.post<Decided>('/actions/decide', decision),
    onSettled: async () => {
      await anew();
      await client.invalidateQueries({ queryKey: ['profile'] });
    },
  });
}
