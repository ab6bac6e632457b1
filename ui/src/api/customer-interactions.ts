import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Money, Ref } from './types';

/** What a colleague may record by hand. */
export const RECORDABLE = [
  'Store Visited',
  'Call Made',
  'Message Received',
  'Message Sent',
  'Content Liked',
  'Content Commented',
  'Content Shared',
  'Content Saved',
  'Live Stream Watched',
  'Product Reviewed',
  'Item Tried On',
  'Brand Mentioned',
  'Account Followed',
  'Account Unfollowed',
] as const;
export type Recordable = (typeof RECORDABLE)[number];

export interface CustomerInteraction {
  id: string;
  at: string;
  name: string;
  platform: string;
  content: string;
  about: string;
  text: string;
  minutes: number;
  rating: number;
  by_hand: boolean;
  by: Ref | null;
}
interface CustomerInteractions {
  items: CustomerInteraction[];
  next?: string;
}
export interface InteractionDraft {
  name: Recordable;
  at?: string;
  content?: string;
  store?: string;
  product?: string;
  platform?: string;
  direction?: 'in' | 'out';
  minutes?: number;
  rating?: number;
  text?: string;
}
export interface InfluenceWeights {
  per_reach: number;
  per_reaction: number;
  per_brought: number;
  half: number;
  days: number;
  first_year: number;
}
interface Customer {
  id: string;
  title: string;
  subtitle: string;
}
export interface Influenced {
  customer: Customer;
  since: string | null;
  openings: number;
  new: boolean;
  referred: boolean;
  orders: number;
  revenue: Money;
}
export interface CustomerInfluence {
  score: number;
  points: number;
  formula: InfluenceWeights;
  shared: number;
  reach: number;
  reactions: number;
  brought: number;
  orders: number;
  revenue: Money;
  people: Influenced[];
  hidden: number;
}
export interface Sharer {
  customer: Customer;
  score: number;
  shared: number;
  reach: number;
  reactions: number;
  brought: number;
  orders: number;
  revenue: Money;
}
interface Sharers {
  items: Sharer[];
  formula: InfluenceWeights;
}

const of = (customer: string) => `/customers/${customer}/interactions`;

export const customerInteractionsQuery = (customer: string) =>
  infiniteQueryOptions({
    queryKey: ['customers', customer, 'behaviour', 'interactions'],
    queryFn: ({ pageParam, signal }) =>
      api.get<CustomerInteractions>(
        `${of(customer)}${pageParam === '' ? '' : `?before=${encodeURIComponent(pageParam)}`}`,
        {
          signal,
        },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  });

export const influenceQuery = (customer: string) =>
  queryOptions({
    queryKey: ['customers', customer, 'behaviour', 'influence'],
    queryFn: ({ signal }) => api.get<CustomerInfluence>(`/customers/${customer}/influence`, { signal }),
  });

export const sharersQuery = () =>
  queryOptions({
    queryKey: ['interactions', 'people'],
    queryFn: ({ signal }) => api.get<Sharers>('/interactions/people', { signal }),
    staleTime: 30_000,
  });

export const recordInteraction = (customer: string, draft: InteractionDraft) =>
  api.post<CustomerInteraction>(of(customer), draft);

export const dropInteraction = (customer: string, event: string) => api.delete<void>(`${of(customer)}/${event}`);
