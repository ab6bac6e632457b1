import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, setCsrf } from './client';
import { sessionKey } from './session';
import type { Actor, Items, Page, Role, SignInStage } from './types';

/** State of one's second factor. */
export interface Factor {
  /** An authenticator. */
  on: boolean;
  passkeys: number;
  since: string | null;
  recovery_codes: number;
  required: boolean;
}
export interface Enrolment {
  secret: string;
  uri: string;
  /** Picture of the address, as a data address. */
  qr: string;
}
export interface Device {
  browser: string;
  system: string;
  phone: boolean;
}
/** How somebody proved who they are. */
export type SignInWay = 'password' | 'passkey' | 'provider';
export interface SessionPlace {
  id: string;
  current: boolean;
  way?: SignInWay;
  device: Device;
  address: string;
  created_at: string;
  seen_at: string;
}
export const OUTCOMES = [
  'ok',
  'wrong_password',
  'unknown_account',
  'disabled',
  'locked',
  'wrong_code',
  'wrong_passkey',
  'provider_refused',
  'provider_only',
] as const;
export interface SignInTry {
  id: string;
  at: string;
  user: Actor | null;
  outcome: (typeof OUTCOMES)[number];
  way?: SignInWay;
  device: Device;
  address: string;
}
interface Passed {
  csrf: string;
  stage?: SignInStage;
}

const factorKey = ['factor'] as const;
const sessionsKey = ['sessions'] as const;

export const factorQuery = () =>
  queryOptions({ queryKey: factorKey, queryFn: ({ signal }) => api.get<Factor>('/me/factor', { signal }) });

/** The password is asked of a full session; while signing in it has just been given. */
export function useBeginFactor() {
  return useMutation({
    mutationFn: (password: string) =>
      api.post<Enrolment>('/me/factor', password === '' ? {} : { password }, { quiet401: true }),
  });
}

/** Turns the second factor on; the answer's codes are shown once and never again. */
export function useConfirmFactor() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (code: string) => {
      const done = await api.post<{ codes: string[]; me: Passed }>('/me/factor/confirm', { code }, { quiet401: true });
      setCsrf(done.me.csrf);
      return done.codes;
    },
    onSuccess: () => {
      client.invalidateQueries({ queryKey: factorKey });
      client.invalidateQueries({ queryKey: sessionsKey });
    },
  });
}

interface Proof {
  password: string;
  code: string;
}
/** Resolves to whether the role demands to set it up again at once. */
export function useDropFactor() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (proof: Proof) => {
      const me = await api.post<Passed>('/me/factor/off', proof);
      setCsrf(me.csrf);
      return me.stage === 'enrol';
    },
    onSuccess: (owed) => {
      if (owed) return client.clear();
      client.invalidateQueries({ queryKey: factorKey });
      client.invalidateQueries({ queryKey: sessionsKey });
      return client.invalidateQueries({ queryKey: sessionKey });
    },
  });
}
export function useNewRecoveryCodes() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (proof: Proof) => api.post<{ codes: string[] }>('/me/factor/recovery', proof),
    onSuccess: () => client.invalidateQueries({ queryKey: factorKey }),
  });
}

export const sessionsQuery = () =>
  queryOptions({
    queryKey: sessionsKey,
    queryFn: ({ signal }) => api.get<Items<SessionPlace>>('/me/sessions', { signal }),
  });
/** Ends one session, or without an id all but the present one. */
export function useEndSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id?: string) => api.delete(id === undefined ? '/me/sessions' : `/me/sessions/${id}`),
    onSettled: () => client.invalidateQueries({ queryKey: sessionsKey }),
  });
}

/** Attempts to sign in: one's own, or those of everybody. */
export const signInsQuery = (whose: 'mine' | 'all', user?: string) =>
  infiniteQueryOptions({
    queryKey: ['sign-ins', whose, user ?? ''],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<SignInTry>>(whose === 'mine' ? '/me/sign-ins' : '/sign-ins', {
        query: { user, limit: whose === 'mine' ? 10 : 50, cursor: pageParam },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });

export interface Security {
  factor_roles: Role[];
  /** People, administrators apart, sign in through a provider alone. */
  provider_only: boolean;
}
export const securityQuery = () =>
  queryOptions({ queryKey: ['security'], queryFn: ({ signal }) => api.get<Security>('/security', { signal }) });
export function useSaveSecurity() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (security: Partial<Security>) => api.patch<Security>('/security', security),
    onSuccess: (saved) => client.setQueryData(['security'], saved),
    onError: () => client.invalidateQueries({ queryKey: ['security'] }),
  });
}
/** An administrator's help: remove a second factor, or sign a person out everywhere. */
export function useHelpUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, what }: { id: string; what: 'factor' | 'sessions' }) => api.delete(`/users/${id}/${what}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['users'] }),
  });
}
