import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { User } from './types';

export type TicketKind = 'invite' | 'reset' | 'verify';
export interface TicketInfo {
  kind: TicketKind;
  email: string;
  name: string;
  workspace: string;
  expires_at: string;
}
export interface MyAddress {
  email: string;
  verified_at: string | null;
  reachable: boolean;
}
export interface MailStop {
  kind: string;
  to: string;
  workspace: string;
}

/** What the page for signing in offers beside the password. */
export interface SignInWays {
  /** A link to set a new password can be asked for. */
  reset: boolean;
  passkey: boolean;
  providers: { id: string; name: string }[];
}

/** What a link of a mail is good for; its secret goes in a body, never in an address. */
export const ticketQuery = (token: string) =>
  queryOptions({
    queryKey: ['ticket', token],
    queryFn: () => api.post<TicketInfo>('/tickets/look', { token }, { quiet401: true }),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
export const useTicket = () =>
  useMutation({
    mutationFn: (input: { token: string; password?: string; name?: string }) =>
      api.post<{ email: string }>('/tickets/use', input, { quiet401: true }),
  });
export const signInWaysQuery = () =>
  queryOptions({
    queryKey: ['sign-in-ways'],
    queryFn: ({ signal }) => api.get<SignInWays>('/session/ways', { signal, quiet401: true }),
    retry: false,
  });
export const useAskReset = () =>
  useMutation({ mutationFn: (email: string) => api.post<void>('/session/reset', { email }, { quiet401: true }) });
export const stopQuery = (token: string) =>
  queryOptions({
    queryKey: ['stop', token],
    queryFn: ({ signal }) => api.get<MailStop>(`/mail/stop/${encodeURIComponent(token)}`, { signal, quiet401: true }),
    retry: false,
  });
export const useStopMails = () =>
  useMutation({
    mutationFn: (token: string) =>
      api.post<MailStop>(`/mail/stop/${encodeURIComponent(token)}`, {}, { quiet401: true }),
  });
export const myAddressQuery = () =>
  queryOptions({ queryKey: ['me', 'address'], queryFn: ({ signal }) => api.get<MyAddress>('/me/address', { signal }) });
export const useProveAddress = () => useMutation({ mutationFn: () => api.post<void>('/me/address', {}) });

export interface InviteInput {
  email: string;
  name: string;
  role: string;
}
function useUsersAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: ['users'] }) });
}
export const useInvite = () => useUsersAction((input: InviteInput) => api.post<User>('/users/invite', input));
export const useInviteAgain = () => useUsersAction((id: string) => api.post<void>(`/users/${id}/invite`, {}));

export const MAIL_CHANNELS = ['now', 'daily', 'never'] as const;
export type MailChannel = (typeof MAIL_CHANNELS)[number];
export interface MailPreferences {
  kinds: Record<string, MailChannel>;
  quiet: boolean;
  from: string;
  to: string;
}
export const mailPreferencesQuery = () =>
  queryOptions({
    queryKey: ['notifications', 'mail'],
    queryFn: ({ signal }) => api.get<MailPreferences>('/notifications/mail', { signal }),
  });
export const setMailPreferences = (change: Partial<MailPreferences>) =>
  api.patch<MailPreferences>('/notifications/mail', change);
