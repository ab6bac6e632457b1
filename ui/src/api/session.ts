import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, setCsrf } from './client';
import type { ApiKey, Items, KeyScope, Role, Session, SetupInput, SetupState, User } from './types';

const keep = (session: Session): Session => {
  setCsrf(session.csrf);
  return session;
};

const me = () => api.get<Session>('/me', { quiet401: true }).then(keep);

export const sessionKey = ['session'] as const;
export const sessionQuery = () =>
  queryOptions({ queryKey: sessionKey, queryFn: me, staleTime: Number.POSITIVE_INFINITY, retry: false });
export const setupQuery = () =>
  queryOptions({ queryKey: ['setup'], queryFn: () => api.get<SetupState>('/setup', { quiet401: true }) });

/** Signs in and keeps the session; POST /session does not tell rights, so /me is read after it. */
export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: { email: string; password: string }) => {
      const opened = await api.post<Pick<Session, 'csrf'>>('/session', input, { quiet401: true });
      setCsrf(opened.csrf);
      return me();
    },
    onSuccess: (session) => client.setQueryData(sessionKey, session),
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete('/session', { quiet401: true }),
    onSettled: () => {
      setCsrf('');
      client.clear();
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
}
export type UserChange = Partial<Pick<NewUser, 'name' | 'role' | 'password'>> & { disabled?: boolean };
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
