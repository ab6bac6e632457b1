import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { RecordData, Ref } from './types';

/** A name under which somebody appears. Personal ones are masked. */
export interface Identifier {
  id: string;
  namespace: string;
  text: string;
  personal: boolean;
  profile: string;
  first_at: string;
  last_at: string;
}
export interface IdentityProfile {
  id: string;
  /** The profile that it was joined to. */
  into?: string;
  root: string;
  customer: Ref | null;
  created_at: string;
  identifiers: Identifier[];
}
export interface IdentityEvidence {
  namespace: string;
  text: string;
}
export interface IdentityMerge {
  id: string;
  loser: string;
  winner: string;
  at: string;
  why: 'event' | 'move' | 'person' | 'customer';
  kind?: string;
  by: Ref | null;
  evidence: IdentityEvidence[];
  undone_at: string | null;
  undone_by: Ref | null;
}
export interface Identities {
  profiles: IdentityProfile[];
  merges: IdentityMerge[];
  reviews: number;
}
export interface IdentitySide {
  profile?: string;
  customer: RecordData | null;
  identifiers: Identifier[];
}
export type IdentityState = 'open' | 'later' | 'joined' | 'not_same';
export interface IdentityReview {
  id: string;
  kind: 'profiles' | 'customer';
  state: IdentityState;
  count: number;
  created_at: string;
  last_at: string;
  evidence: IdentityEvidence[];
  event?: string;
  sides: IdentitySide[];
  by: Ref | null;
  at: string | null;
}
export interface IdentityReviews {
  items: IdentityReview[];
  total: number;
}
export interface IdentityNamespace {
  key: string;
  enabled: boolean;
  traits: string[];
  limit: number;
  days: number;
  shared: boolean;
  blocked: string[];
}
export interface TraitMapping {
  trait: string;
  field: string;
  mode: 'newest' | 'empty' | 'off';
}
export interface OrderRule {
  event: string;
  does: 'completed' | 'updated' | 'refunded' | 'cancelled';
  properties: Record<string, string>;
}
export interface IdentitySettings {
  identity: { version: number; namespaces: IdentityNamespace[]; blocked: string[] };
  people: {
    version: number;
    create: boolean;
    source: string;
    same: boolean;
    mappings: TraitMapping[];
    orders: OrderRule[];
  };
}

export interface BehavedAct {
  at: string;
  kind: 'track' | 'page' | 'screen';
  name: string;
  title?: string;
  path?: string;
  about?: string;
  /** Minor units of the base currency. */
  amount?: number;
}
export interface BehavedVisit {
  id: string;
  /** Of a company: whose visit it was. */
  contact?: Ref;
  started_at: string;
  ended_at: string;
  host?: string;
  channel?: string;
  device?: string;
  views: number;
  engaged_ms: number;
  acts: BehavedAct[];
}
export interface Behaved {
  visits: BehavedVisit[];
  next?: string;
}

export const behaviourQuery = (customer: string) =>
  infiniteQueryOptions({
    queryKey: ['customers', customer, 'behaviour'],
    queryFn: ({ pageParam, signal }) =>
      api.get<Behaved>(`/customers/${customer}/behaviour`, { query: { before: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    staleTime: 10_000,
  });
/** One visit with its events; it is another answer when the visit has gone on. */
export const visitQuery = (customer: string, visit: string, ended: string) =>
  queryOptions({
    queryKey: ['customers', customer, 'visit', visit, ended],
    queryFn: ({ signal }) => api.get<BehavedVisit>(`/customers/${customer}/behaviour/${visit}`, { signal }),
    staleTime: 60_000,
    placeholderData: (old) => old,
  });
export const identitiesQuery = (customer: string) =>
  queryOptions({
    queryKey: ['identities', 'of', customer],
    queryFn: ({ signal }) => api.get<Identities>(`/customers/${customer}/identities`, { signal }),
    staleTime: 10_000,
  });
export const identityReviewsQuery = (state: IdentityState, offset: number) =>
  queryOptions({
    queryKey: ['identities', 'reviews', state, offset],
    queryFn: ({ signal }) =>
      api.get<IdentityReviews>('/identities/reviews', { query: { state, offset, limit: 20 }, signal }),
  });
export const identitySettingsQuery = () =>
  queryOptions({
    queryKey: ['identities', 'settings'],
    queryFn: ({ signal }) => api.get<IdentitySettings>('/identities/settings', { signal }),
  });

export const undoIdentityMerge = (merge: string) => api.post(`/identities/merges/${merge}/undo`);
export const revealIdentifier = (id: string) => api.post<{ text: string }>(`/identities/identifiers/${id}/reveal`);
export const decideIdentityReview = (id: string, state: 'not_same' | 'later' | 'open') =>
  api.post(`/identities/reviews/${id}/decide`, { state });
export const mergeIdentityReview = (id: string, body: { survivor?: string; customer?: string }) =>
  api.post(`/identities/reviews/${id}/merge`, body);
export const saveIdentitySettings = (settings: IdentitySettings) =>
  api.patch<IdentitySettings>('/identities/settings', settings);
