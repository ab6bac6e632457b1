import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items } from './types';

export const TEXT_PROVIDERS = ['aliyun', 'tencent', 'http'] as const;
export type TextProvider = (typeof TEXT_PROVIDERS)[number];
/** What an account is, in one choice: a provider of text messages, or a receiver of webhooks. */
export type ChannelKind = TextProvider | 'webhook';
export interface ChannelAccount {
  id: string;
  channel: 'sms' | 'webhook';
  provider: TextProvider;
  name: string;
  endpoint: string;
  key: string;
  has_secret: boolean;
  app: string;
  region: string;
  sign: string;
  out: string;
  /** Of a part, thousandths of a minor unit. */
  price: number;
  active: boolean;
  version: number;
  last_success_at: string | null;
  failing_since: string | null;
  last_error: string;
  /** Path at which the provider tells receipts and answers. */
  inbox: string;
}
/** What a person may set; without a secret the stored one stays. */
export type ChannelInput = Partial<
  Pick<ChannelAccount, 'name' | 'endpoint' | 'key' | 'app' | 'region' | 'sign' | 'out' | 'price' | 'active'>
> & { secret?: string };
export interface ChannelName {
  id: string;
  channel: 'sms' | 'webhook';
  name: string;
  sign: string;
  price: number;
  coded: boolean;
  active: boolean;
}
export interface ChannelTest {
  outcome: 'taken' | 'later' | 'refused' | 'dead' | 'account' | 'unknown';
  code: string;
  detail: string;
  receipt: string;
  text: string;
}

const LOOK_AGAIN = 10_000;

export const channelsQuery = () =>
  queryOptions({
    queryKey: ['channels'],
    queryFn: ({ signal }) => api.get<Items<ChannelAccount>>('/channels', { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const channelNamesQuery = () =>
  queryOptions({
    queryKey: ['channels', 'names'],
    queryFn: ({ signal }) => api.get<Items<ChannelName>>('/channels/names', { signal }),
  });

function useChannelAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: ['channels'] }) });
}

interface SaveInput {
  account?: ChannelAccount;
  kind: ChannelKind;
  change: ChannelInput;
}
export const useSaveChannel = () =>
  useChannelAction(({ account, kind, change }: SaveInput) =>
    account === undefined
      ? api.post<ChannelAccount>('/channels', {
          ...(kind === 'webhook' ? { channel: 'webhook' } : { channel: 'sms', provider: kind }),
          ...change,
        })
      : api.patch<ChannelAccount>(`/channels/${account.id}`, { ...change, version: account.version }),
  );
export const useDeleteChannel = () => useChannelAction((id: string) => api.delete(`/channels/${id}`));
export const useTurnChannel = () =>
  useChannelAction((id: string) => api.post<ChannelAccount>(`/channels/${id}/turn`, {}));
export const useReleaseNumber = () =>
  useMutation({
    mutationFn: (number: string) => api.post<{ released: boolean }>('/channels/release', { number }),
  });
export const useTestChannel = () =>
  useChannelAction(
    ({
      id,
      ...body
    }: {
      id: string;
      to: string;
      text: string;
      code: string;
      params: { key: string; value: string }[];
    }) => api.post<ChannelTest>(`/channels/${id}/test`, body),
  );
