import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items, Page } from './types';

export const MAIL_SECURITY = ['starttls', 'tls', 'none'] as const;
export type MailSecurity = (typeof MAIL_SECURITY)[number];
export const MAIL_STATES = ['waiting', 'sending', 'sent', 'failed', 'unknown', 'cancelled'] as const;
export type MailItemState = (typeof MAIL_STATES)[number];

export interface MailState {
  ready: boolean;
  /** Mails with links can be sent too. */
  reachable: boolean;
  address: string;
}
export interface MailProfile {
  id: string;
  name: string;
  host: string;
  port: number;
  security: MailSecurity;
  username: string;
  has_password: boolean;
  from_name: string;
  from_address: string;
  reply_to: string;
  per_minute: number;
  per_hour: number;
  active: boolean;
  standard: boolean;
  sign: boolean;
  dns_name: string;
  dns_value: string;
  version: number;
  last_success_at: string | null;
  failing_since: string | null;
  last_error: string;
  last_reply: string;
  /** Path that takes delivery reports and complaints. */
  returns: string;
}
export interface MailProfiles extends Items<MailProfile> {
  counts: Partial<Record<MailItemState, number>>;
}
/** What a person may set; without a password the stored one stays. */
export type MailProfileInput = Partial<
  Pick<
    MailProfile,
    | 'name'
    | 'host'
    | 'port'
    | 'security'
    | 'username'
    | 'from_name'
    | 'from_address'
    | 'reply_to'
    | 'per_minute'
    | 'per_hour'
    | 'active'
    | 'standard'
    | 'sign'
  >
> & { password?: string };
export interface MailStep {
  name: string;
  ms: number;
  error: string;
  reply: string;
  info: string;
}
export interface MailTest {
  ok: boolean;
  steps: MailStep[];
}
export interface MailItem {
  id: string;
  kind: string;
  to: string;
  about: { id: string; object: string } | null;
  profile: string;
  state: MailItemState;
  reason: string;
  reply: string;
  attempts: number;
  created_at: string;
  next_at: string | null;
  done_at: string | null;
  again: boolean;
}
export interface StoppedAddress {
  key: string;
  to: string;
  reason: string;
  reply: string;
  at: string;
}

const LOOK_AGAIN = 5_000;

export const mailStateQuery = () =>
  queryOptions({
    queryKey: ['mail', 'state'],
    queryFn: ({ signal }) => api.get<MailState>('/mail/state', { signal }),
  });
export const mailProfilesQuery = () =>
  queryOptions({
    queryKey: ['mail', 'profiles'],
    queryFn: ({ signal }) => api.get<MailProfiles>('/mail/profiles', { signal }),
    refetchInterval: LOOK_AGAIN,
  });
export const mailLogQuery = (state: MailItemState | null, address: string) =>
  infiniteQueryOptions({
    queryKey: ['mail', 'log', state, address],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<MailItem>>('/mail/messages', {
        query: { state, address: address || null, cursor: pageParam },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    refetchInterval: LOOK_AGAIN,
  });
export const stoppedQuery = () =>
  queryOptions({
    queryKey: ['mail', 'stopped'],
    queryFn: ({ signal }) => api.get<Items<StoppedAddress>>('/mail/addresses', { signal }),
  });

function useMailAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: ['mail'] }) });
}

export const useSaveMailProfile = () =>
  useMailAction(({ profile, change }: { profile?: MailProfile; change: MailProfileInput }) =>
    profile === undefined
      ? api.post<MailProfile>('/mail/profiles', change)
      : api.patch<MailProfile>(`/mail/profiles/${profile.id}`, { ...change, version: profile.version }),
  );
export const useDeleteMailProfile = () => useMailAction((id: string) => api.delete(`/mail/profiles/${id}`));
export const useTestMailProfile = () =>
  useMailAction(({ id, to }: { id: string; to: string }) => api.post<MailTest>(`/mail/profiles/${id}/test`, { to }));
export const useMakeMailKey = () =>
  useMailAction((id: string) => api.post<MailProfile>(`/mail/profiles/${id}/key`, {}));
export const useSaveMailAddress = () =>
  useMailAction((address: string) => api.patch<MailState>('/mail/settings', { address }));
export const useTouchMails = () =>
  useMailAction(({ what, ids }: { what: 'replay' | 'cancel'; ids: string[] }) =>
    api.post<{ count: number }>(`/mail/messages/${what}`, { ids }),
  );
export const useReleaseAddress = () =>
  useMailAction((key: string) => api.post<void>('/mail/addresses/release', { key }));
