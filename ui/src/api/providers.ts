import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { type SignInStep, sessionKey, takeStep } from './session';
import type { Items, Role, SignInStage } from './types';

export const FACTOR_TRUST = ['here', 'provider', 'told'] as const;
export interface RoleRule {
  value: string;
  role: Role;
}
/** What an administrator says about a provider of identities. */
export interface ProviderShape {
  name: string;
  issuer: string;
  client: string;
  scopes: string[];
  domains: string[];
  create: boolean;
  role?: Role;
  claim?: string;
  rules: RoleRule[];
  factor: (typeof FACTOR_TRUST)[number];
  /** Signing out here signs out there. */
  end: boolean;
  enabled: boolean;
}
export interface Provider extends ProviderShape {
  id: string;
  /** A secret is stored. */
  secret: boolean;
  version: number;
  updated_at: string;
}
export interface Providers extends Items<Provider> {
  /** What the provider is told about this program. */
  redirect: string;
  logout: string;
}
export interface ProviderSigns {
  issuer: string;
  end: boolean;
  told: boolean;
}

const providersKey = ['providers'] as const;
export const providersQuery = () =>
  queryOptions({ queryKey: providersKey, queryFn: ({ signal }) => api.get<Providers>('/providers', { signal }) });

export interface ProviderChange {
  provider?: Provider;
  shape: ProviderShape;
  /** Undefined leaves the stored one. */
  secret?: string;
}
export function useSaveProvider() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ provider, shape, secret }: ProviderChange) => {
      const body = { ...shape, ...(secret !== undefined && { secret }) };
      return provider === undefined
        ? api.post<Provider>('/providers', body)
        : api.patch<Provider>(`/providers/${provider.id}`, { ...body, version: provider.version });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: providersKey }),
  });
}
export function useDropProvider() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/providers/${id}`),
    onSuccess: () => client.invalidateQueries({ queryKey: providersKey }),
  });
}
export const useLookAtProvider = () =>
  useMutation({ mutationFn: (issuer: string) => api.post<ProviderSigns>('/providers/look', { issuer }) });

/** The address where the browser asks a provider who it is. */
export const useAskProvider = () =>
  useMutation({
    mutationFn: async (id: string) => {
      const { url } = await api.post<{ url: string }>(`/session/provider/${id}`, {}, { quiet401: true });
      return url;
    },
  });

export interface Brought {
  state: string;
  code?: string;
  iss?: string;
  error?: string;
}
/** Signs in with what the browser brought back. */
export function useProviderSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (brought: Brought): Promise<SignInStep> =>
      takeStep(
        await api.post<{ csrf: string; stage?: SignInStage }>('/session/provider/finish', brought, { quiet401: true }),
      ),
    onSuccess: (step) => step.session !== null && client.setQueryData(sessionKey, step.session),
  });
}
