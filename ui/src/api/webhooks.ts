import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { Condition } from './conditions';
import type { Items, Page } from './types';

export const WEBHOOK_KINDS = ['created', 'updated', 'deleted', 'restored', 'file_added', 'file_removed'] as const;
/** What goes on around a record. */
export const WEBHOOK_AROUND = [
  'approval.asked',
  'approval.decided',
  'approval.withdrawn',
  'approval.applied',
  'approval.failed',
  'automation.failed',
  'stage.moved',
] as const;
export type WebhookKind = (typeof WEBHOOK_KINDS)[number] | (typeof WEBHOOK_AROUND)[number];
export type WebhookState = 'active' | 'paused' | 'disabled';
export type DeliveryState = 'waiting' | 'delivered' | 'dead';

export interface WebhookRule {
  object: string;
  kinds: WebhookKind[];
  where: Condition | null;
  sentence?: Label;
  fields: string[];
}
export interface Webhook {
  id: string;
  name: string;
  url: string;
  rules: WebhookRule[];
  state: WebhookState;
  /** Why the program turned it off: gone, failing, condition. */
  reason: string;
  reveal: boolean;
  /** Names of further headers; their values are never shown. */
  headers: string[];
  old_secret_until: string | null;
  version: number;
  last_success_at: string | null;
  last_failure_at: string | null;
  failing_since: string | null;
  failures: number;
  last_error: string;
  waiting: number;
  dead: number;
}
export interface NewWebhook {
  webhook: Webhook;
  /** Shown once and never again. */
  secret: string;
}
export interface WebhookDelivery {
  id: string;
  type: string;
  record: { id: string; object: string; title: string } | null;
  at: string;
  state: DeliveryState;
  error: string;
  attempts: number;
  next_at: string | null;
  done_at: string | null;
}
export interface WebhookAttempt {
  number: number;
  at: string;
  ms: number;
  status: number;
  error: string;
  response: string;
}
export interface WebhookDetail {
  delivery: WebhookDelivery;
  url: string;
  headers: Record<string, string>;
  body: unknown;
  attempts: WebhookAttempt[];
}
export interface WebhookInput {
  name: string;
  url: string;
  rules: { object: string; kinds: WebhookKind[]; where?: Condition; fields: string[] }[];
  reveal: boolean;
  /** Null keeps the value that is there. */
  headers: Record<string, string | null>;
}
export type ReplayInput = { delivery: string } | { dead: true } | { from: string; to: string };

const LOOK_AGAIN = 5_000;

export const webhooksQuery = () =>
  queryOptions({
    queryKey: ['webhooks'],
    queryFn: ({ signal }) => api.get<Items<Webhook>>('/webhooks', { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', id],
    queryFn: ({ signal }) => api.get<Webhook>(`/webhooks/${id}`, { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const deliveriesQuery = (id: string, state: DeliveryState | null) =>
  infiniteQueryOptions({
    queryKey: ['webhooks', id, 'deliveries', state],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<WebhookDelivery>>(`/webhooks/${id}/deliveries`, { query: { state, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    refetchInterval: LOOK_AGAIN,
  });
export const deliveryQuery = (id: string, delivery: string) =>
  queryOptions({
    queryKey: ['webhooks', id, 'delivery', delivery],
    queryFn: ({ signal }) => api.get<WebhookDetail>(`/webhooks/${id}/deliveries/${delivery}`, { signal }),
  });

function useWebhookAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: ['webhooks'] }) });
}

export const useCreateWebhook = () =>
  useWebhookAction((input: WebhookInput) => api.post<NewWebhook>('/webhooks', input));
export const useSaveWebhook = () =>
  useWebhookAction(
    ({
      id,
      version,
      change,
    }: {
      id: string;
      version?: number;
      change: Partial<WebhookInput> & { state?: WebhookState };
    }) => api.patch<Webhook>(`/webhooks/${id}`, change, { ifMatch: version }),
  );
export const useDeleteWebhook = () => useWebhookAction((id: string) => api.delete(`/webhooks/${id}`));
export const useRotateWebhook = () =>
  useWebhookAction((id: string) => api.post<NewWebhook>(`/webhooks/${id}/rotate`, {}));
export const useTestWebhook = () =>
  useWebhookAction((id: string) => api.post<{ attempt: WebhookAttempt }>(`/webhooks/${id}/test`, {}));
export const useReplayWebhook = () =>
  useWebhookAction(({ id, what }: { id: string; what: ReplayInput }) =>
    api.post<{ count: number }>(`/webhooks/${id}/replay`, what),
  );
