import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { makePasskey, type PasskeyOptions, showPasskey } from '@/lib/passkey';
import { api, setCsrf } from './client';
import { type SignInStep, sessionKey, takeStep } from './session';
import type { Items, SignInStage } from './types';

export interface Passkey {
  id: string;
  name: string;
  /** May be kept on several devices. */
  synced: boolean;
  site: string;
  created_at: string;
  used_at: string | null;
  /** When a copy of it showed up. */
  stopped_at: string | null;
}
interface Asked {
  flow: string;
  options: PasskeyOptions;
}
interface Opened {
  csrf: string;
  stage?: SignInStage;
}
export interface SecondSteps {
  authenticator: boolean;
  passkey: boolean;
  recovery: boolean;
}

const passkeysKey = ['passkeys'] as const;
export const passkeysQuery = () =>
  queryOptions({
    queryKey: passkeysKey,
    queryFn: ({ signal }) =>
      api.get<Items<Passkey> & { possible: boolean }>('/me/passkeys', { signal, quiet401: true }),
  });

/** In which ways the second step of the present sign-in can be done. */
export const secondStepsQuery = () =>
  queryOptions({
    queryKey: ['second-steps'],
    queryFn: ({ signal }) => api.get<SecondSteps>('/session/step', { signal, quiet401: true }),
    gcTime: 0,
    staleTime: 0,
    retry: false,
  });

const PLACES = { alone: '/session/passkey', step: '/session/step/passkey' };

/** Signs in with a passkey alone, or shows one as the second step. */
export function usePasskeySignIn(as: keyof typeof PLACES) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (): Promise<SignInStep> => {
      const asked = await api.post<Asked>(`${PLACES[as]}/begin`, {}, { quiet401: true });
      const credential = await showPasskey(asked.options);
      return takeStep(await api.post<Opened>(PLACES[as], { flow: asked.flow, credential }, { quiet401: true }));
    },
    onSuccess: (step) => step.session !== null && client.setQueryData(sessionKey, step.session),
  });
}

/** Makes a passkey; resolves to recovery codes when it is the first second factor: they are shown this once. */
export function useAddPasskey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ password, name }: { password: string; name: string }) => {
      const asked = await api.post<Asked>('/me/passkeys/begin', password === '' ? {} : { password }, {
        quiet401: true,
      });
      const credential = await makePasskey(asked.options);
      const added = await api.post<{ passkey: Passkey; codes?: string[]; me?: Opened }>(
        '/me/passkeys',
        { flow: asked.flow, credential, name },
        { quiet401: true },
      );
      if (added.me !== undefined) setCsrf(added.me.csrf);
      return added.codes ?? [];
    },
    onSuccess: () => {
      for (const queryKey of [passkeysKey, ['factor'], ['sessions']]) client.invalidateQueries({ queryKey });
    },
  });
}

export function useRenamePasskey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) => api.patch(`/me/passkeys/${id}`, { name }),
    onSuccess: () => client.invalidateQueries({ queryKey: passkeysKey }),
  });
}

/** Resolves to whether the role demands to set a second factor up again at once. */
export function useRevokePasskey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, password }: { id: string; password: string }) => {
      const me = await api.post<Opened>(`/me/passkeys/${id}/revoke`, password === '' ? {} : { password });
      setCsrf(me.csrf);
      return me.stage === 'enrol';
    },
    onSuccess: (owed) => {
      if (owed) return client.clear();
      for (const queryKey of [passkeysKey, ['factor'], ['sessions'], sessionKey])
        client.invalidateQueries({ queryKey });
    },
  });
}
