import { type QueryClient, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { storage } from '@/lib/storage';
import { api, setCsrf } from './client';
import { ApiError } from './errors';
import { keptOwner } from './keep';
import type { ApiKey, Items, KeyScope, Role, Session, SetupInput, SetupState, SignInStage, User } from './types';

/** A session that still owes a step of signing in counts as none. */
const keep = (session: Session & { stage?: SignInStage }): Session => {
  setCsrf(session.csrf);
  if (session.stage !== undefined) throw new ApiError({ type: 'auth.step_pending', title: session.stage, status: 401 });
  storage.setText('owner', `${session.workspace.key}.${session.user.id}`);
  return session;
};

/** Set when somebody signed out while the server could not be told. */
const LEAVING = 'leaving';

/** The session has ended: nothing is readable on this device until somebody signs in; what was not sent stays sealed. */
async function closeKept(): Promise<void> {
  const owner = keptOwner();
  if (owner === '') return;
  storage.setText('owner', '');
  await import('./offline').then(({ forgetSeen }) => forgetSeen(owner)).catch(() => undefined);
}

const me = async (): Promise<Session> => {
  const session = await api.get<Session>('/me', { quiet401: true }).catch(async (error: unknown) => {
    if (error instanceof ApiError && error.status === 401) await closeKept();
    throw error;
  });
  if (storage.getText(LEAVING) !== '1') return keep(session);
  setCsrf(session.csrf);
  await api.delete('/session', { quiet401: true });
  storage.setText(LEAVING, '');
  setCsrf('');
  throw new ApiError({ type: 'auth.signed_out', title: 'signed out', status: 401 });
};

export const sessionKey = ['session'] as const;
export const sessionQuery = () =>
  queryOptions({ queryKey: sessionKey, queryFn: me, staleTime: Number.POSITIVE_INFINITY, retry: false });
export const setupQuery = () =>
  queryOptions({ queryKey: ['setup'], queryFn: () => api.get<SetupState>('/setup', { quiet401: true }) });

/** After a time without a connection: who one is may have changed, and an ended session asks to sign in. */
export async function renewSession(client: QueryClient): Promise<void> {
  client.setQueryData(sessionKey, await api.get<Session>('/me').then(keep));
}

/** One step of signing in: the address and password, a code, or a password of one's own. */
export type SignInInput = { email: string; password: string } | { code: string } | { new_password: string };
/** Where a step led: to the session, or to the next step. */
export type SignInStep = { session: Session } | { session: null; stage: SignInStage };

function addressOf(input: SignInInput): string {
  if ('code' in input) return '/session/code';
  return 'new_password' in input ? '/session/password' : '/session';
}

interface Opened {
  csrf: string;
  stage?: SignInStage;
}
/** Goes on with what a step answered: to the session, or to the next step. */
export async function takeStep(opened: Opened): Promise<SignInStep> {
  storage.setText(LEAVING, '');
  setCsrf(opened.csrf);
  return opened.stage === undefined ? { session: await me() } : { session: null, stage: opened.stage };
}

/** Takes a step and keeps the session it leads to; the answers do not tell rights, so /me is read after the last. */
export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: SignInInput): Promise<SignInStep> => {
      return takeStep(await api.post<Opened>(addressOf(input), input, { quiet401: true }));
    },
    onSuccess: (step) => step.session !== null && client.setQueryData(sessionKey, step.session),
  });
}

/** Reads the session once the last step is done elsewhere. */
export function useFinishSignIn() {
  const client = useQueryClient();
  return useMutation({ mutationFn: me, onSuccess: (session) => client.setQueryData(sessionKey, session) });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete<{ go?: string }>('/session', { quiet401: true }),
    onError: (error) => error instanceof ApiError && error.status === 0 && storage.setText(LEAVING, '1'),
    // A provider of identities that signed the person in is told through the browser.
    onSettled: async (left) => {
      setCsrf('');
      client.clear();
      const owner = keptOwner();
      storage.setText('owner', '');
      if (owner !== '') await import('./offline').then(({ forgetAll }) => forgetAll(owner)).catch(() => undefined);
      if (left?.go !== undefined) location.assign(left.go);
    },
  });
}

export function useSetup() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: SetupInput) => {
      const opened = await api.post<Pick<Session, 'csrf'>>('/setup', input, { quiet401: true });
      setCsrf(opened.csrf);
      return me();
    },
    onSuccess: (session) => {
      client.setQueryData(sessionKey, session);
      client.setQueryData(['setup'], { needed: false, demo_available: false } satisfies SetupState);
    },
  });
}

export interface ProfileInput {
  name?: string;
  locale?: string;
  theme?: string;
  current_password?: string;
  new_password?: string;
}
export function useUpdateMe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: ProfileInput) => api.patch<unknown>('/me', input).then(me),
    onSuccess: (session) => client.setQueryData(sessionKey, session),
  });
}

/* People and keys */
export const usersQuery = () =>
  queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => api.get<Items<User>>('/users', { signal }) });
export interface NewUser {
  email: string;
  name: string;
  role: Role;
  password: string;
  /** The password is good for one sign-in, at which the person sets their own. */
  temporary: boolean;
}
export type UserChange = Partial<Pick<NewUser, 'name' | 'role' | 'password' | 'temporary'>> & { disabled?: boolean };
export function useSaveUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { id: string; change: UserChange } | { id?: undefined; create: NewUser }) =>
      input.id === undefined
        ? api.post<User>('/users', input.create)
        : api.patch<User>(`/users/${input.id}`, input.change),
    onSuccess: () => client.invalidateQueries({ queryKey: ['users'] }),
  });
}

export const apiKeysQuery = () =>
  queryOptions({ queryKey: ['apikeys'], queryFn: ({ signal }) => api.get<Items<ApiKey>>('/apikeys', { signal }) });
/** The answer's `key` is shown once and never again. */
export function useCreateApiKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: { name: string; scopes: KeyScope[] }) =>
      api.post<{ id: string; key: string }>('/apikeys', input),
    onSuccess: () => client.invalidateQueries({ queryKey: ['apikeys'] }),
  });
}
export function useRevokeApiKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/apikeys/${id}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['apikeys'] }),
  });
}
