import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Ref } from './types';

type Words = Record<string, string>;
export type ConsentStateName = '' | 'given' | 'pending' | 'expired' | 'withdrawn';

export interface ConsentPurpose {
  key: string;
  label: Words;
  description: Words;
  basis: 'consent' | 'contract' | 'legal' | 'interest';
  channels: string[];
  /** Whoever has said nothing is refused. */
  fail_closed: boolean;
  minor: '' | 'guardian' | 'never';
  months: number;
  confirm: boolean;
  retired: boolean;
}
export interface ConsentCategory {
  category: string;
  purpose: string;
  channel: string;
}
export interface ConsentWording {
  id: string;
  purpose: string;
  number: number;
  text: Words;
  valid_from: string;
  created_at: string;
  by: Ref | null;
}
export interface ConsentPolicy {
  version: number;
  purposes: ConsentPurpose[];
  categories: ConsentCategory[];
  wordings: ConsentWording[];
  channels: string[];
}
export interface ConsentState {
  purpose: string;
  channel: string;
  state: ConsentStateName;
  at: string | null;
  expires_at: string | null;
  allowed: boolean;
  why: string;
}
export interface ConsentEntry {
  id: string;
  purpose: string;
  channel: string;
  state: Exclude<ConsentStateName, ''>;
  at: string;
  recorded_at: string;
  expires_at: string | null;
  source: string;
  wording: number | null;
  guardian: boolean;
  actor: { kind: string; id?: string; name: string };
  page: string;
  note: string;
  evidence: string;
  visitor: boolean;
  verdict: '' | 'accepted' | 'dismissed';
}
export interface ConsentClaim {
  customer: Ref;
  entry: ConsentEntry;
}
export interface CustomerConsents {
  policy: ConsentPolicy;
  states: ConsentState[];
  history: ConsentEntry[];
  more: boolean;
  minor: boolean;
  left: '' | 'do_not_contact' | 'restricted';
  unsent: boolean;
  /** Refusals that nobody proved, waiting to be decided. */
  claims: ConsentEntry[];
}
export interface ConsentStatement {
  purpose: string;
  channel: string;
  state: 'given' | 'withdrawn';
  at?: string;
  source?: 'form' | 'import' | 'api' | 'agent';
  guardian?: boolean;
  page?: string;
  note?: string;
  evidence?: string;
}
export interface ConsentFigure {
  purpose: string;
  channel: string;
  state: Exclude<ConsentStateName, ''>;
  count: number;
  trait: string;
}

/* Under the key of privacy, which the server tells of whenever a consent changes. */
const CONSENTS = ['privacy', 'consents'] as const;

export const customerConsentsQuery = (customer: string) =>
  infiniteQueryOptions({
    queryKey: [...CONSENTS, 'of', customer],
    queryFn: ({ pageParam, signal }) =>
      api.get<CustomerConsents>(`/customers/${customer}/consents`, { query: { before: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => (last.more ? last.history.at(-1)?.id : undefined),
  });
export const consentClaimsQuery = () =>
  infiniteQueryOptions({
    queryKey: [...CONSENTS, 'claims'],
    queryFn: ({ pageParam, signal }) =>
      api.get<{ items: ConsentClaim[]; next: string }>('/consents/claims', { query: { before: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next || undefined,
  });
export const decideConsents = (customer: string, entries: string[], accept: boolean) =>
  api.post<CustomerConsents>(`/customers/${customer}/consents/claims`, { entries, accept });
export const consentPolicyQuery = () =>
  queryOptions({
    queryKey: [...CONSENTS, 'policy'],
    queryFn: ({ signal }) => api.get<ConsentPolicy>('/consents/policy', { signal }),
  });
export const consentFiguresQuery = () =>
  queryOptions({
    queryKey: [...CONSENTS, 'figures'],
    queryFn: ({ signal }) => api.get<{ items: ConsentFigure[] }>('/consents/figures', { signal }),
  });

export const recordConsents = (customer: string, items: ConsentStatement[]) =>
  api.post<CustomerConsents>(`/customers/${customer}/consents`, { items });
export interface ConsentImport {
  new: number;
  known: number;
  unsent: number;
  errors: { index: number; code: string; field: string; message: string }[];
}
export const importConsents = (
  by: string,
  items: readonly { customer: string; purpose: string; channel: string; state: string }[],
  dry: boolean,
  signal: AbortSignal,
) => api.post<ConsentImport>('/consents/import', { by, items, try: dry }, { signal });
export const consentLink = (customer: string) => api.post<{ url: string }>(`/customers/${customer}/consents/link`);
export const saveConsentPolicy = (policy: ConsentPolicy) =>
  api.patch<ConsentPolicy>('/consents/policy', {
    version: policy.version,
    purposes: policy.purposes,
    categories: policy.categories,
  });
export const addConsentWording = (input: { purpose: string; text: Words; valid_from?: string }) =>
  api.post<ConsentWording>('/consents/wordings', input);

/** What the page of preferences shows to whoever holds its link. */
export interface Preferences {
  workspace: string;
  locale: string;
  email: string;
  phone: string;
  left: '' | 'do_not_contact' | 'restricted';
  minor: boolean;
  purposes: PreferencePurpose[];
  about: { purpose: string; channel: string } | null;
}
export interface PreferencePurpose {
  key: string;
  label: Words;
  description: Words;
  basis: ConsentPurpose['basis'];
  wording: number;
  text: Words;
  locked: boolean;
  channels: { channel: string; on: boolean; state: ConsentStateName }[];
}
export interface PreferenceChoice {
  purpose: string;
  channel: string;
  on: boolean;
  wording?: number;
}

/** The secret of a link goes in a body, never in an address. */
export const preferencesQuery = (token: string) =>
  queryOptions({
    queryKey: ['preferences', token],
    queryFn: () => api.post<Preferences>('/consents/page/look', { token }, { quiet401: true }),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
export const savePreferences = (token: string, choices: PreferenceChoice[]) =>
  api.post<Preferences>('/consents/page/save', { token, choices }, { quiet401: true });
export const withdrawEverything = (token: string) =>
  api.post<Preferences>('/consents/page/save', { token, withdraw_all: true }, { quiet401: true });
export const confirmConsent = (token: string) =>
  api.post<{ workspace: string; purpose: Words; channel: string }>(
    '/consents/page/confirm',
    { token },
    { quiet401: true },
  );
