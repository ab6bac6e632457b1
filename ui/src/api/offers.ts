import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items, Money, Ref } from './types';

export const OFFER_KINDS = ['percent', 'amount', 'gift', 'shipping', 'trial'] as const;
export type OfferKind = (typeof OFFER_KINDS)[number];
export type OfferStatus = 'draft' | 'active' | 'ended';

/** Empty lists and zeros bound nothing; amounts are minor units of the base currency. */
export interface OfferRule {
  kind: OfferKind;
  percent: number;
  amount: number;
  most: number;
  gift: string;
  minimum: number;
  products: string[];
  categories: string[];
  brands: string[];
  channels: string[];
  first: boolean;
  segments: string[];
  from: string;
  to: string;
  group: string;
  order: number;
  per_person: number;
  per_day: number;
  total: number;
  budget: number;
  valid_days: number;
  hold_minutes: number;
  back: boolean;
}
export interface OfferShown {
  id: string;
  name: string;
  status: OfferStatus;
  rule: OfferRule;
  version: number;
  used: number;
  spent: Money;
  created_at: string;
  updated_at: string;
}
export interface OfferResult {
  offer: OfferShown;
  codes: number;
  customers: number;
  reserved: number;
  redeemed: number;
  refunded: number;
  released: number;
  expired: number;
  goods: Money;
  discount: Money;
}
export interface Coupon {
  id: string;
  offer: string;
  code: string;
  shared: boolean;
  state: 'issued' | 'reserved' | 'redeemed' | 'revoked';
  customer: Ref | null;
  bound: boolean;
  issued_at: string;
  expires_at: string | null;
}
interface CouponPage {
  items: Coupon[];
  new: number;
  next: string;
}
export interface OfferEntry {
  id: string;
  use: string;
  kind: 'reserve' | 'redeem' | 'release' | 'expire' | 'refund';
  ref: string;
  amount: Money;
  at: string;
}

export const offersQuery = () =>
  queryOptions({
    queryKey: ['offers'],
    queryFn: ({ signal }) => api.get<Items<OfferShown>>('/offers', { signal }),
  });
export const offerQuery = (id: string) =>
  queryOptions({
    queryKey: ['offers', id],
    queryFn: ({ signal }) => api.get<OfferResult>(`/offers/${id}`, { signal }),
  });

const after = (last: { next: string }) => (last.next === '' ? undefined : last.next);
const paged = <T extends { next: string }>(key: readonly string[], path: string) =>
  infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) =>
      api.get<T>(pageParam === '' ? path : `${path}?before=${encodeURIComponent(pageParam)}`, { signal }),
    initialPageParam: '',
    getNextPageParam: after,
  });
export const offerCodesQuery = (id: string) => paged<CouponPage>(['offers', id, 'codes'], `/offers/${id}/codes`);
export const offerLedgerQuery = (id: string) =>
  paged<{ items: OfferEntry[]; next: string }>(['offers', id, 'ledger'], `/offers/${id}/ledger`);
export const customerCouponsQuery = (id: string) =>
  paged<CouponPage>(['offers', 'customer', id], `/customers/${id}/coupons`);

function useOffers<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: ['offers'] }) });
}
interface OfferInput {
  id?: string;
  version: number;
  name: string;
  rule: OfferRule;
  status?: OfferStatus;
}
export const useSaveOffer = () =>
  useOffers(({ id, version, name, rule, status }: OfferInput) =>
    id === undefined
      ? api.post<OfferShown>('/offers', { name, rule })
      : api.patch<OfferShown>(
          `/offers/${id}`,
          { name, rule, ...(status !== undefined && { status }) },
          { ifMatch: version },
        ),
  );
interface Issuing {
  id: string;
  n?: number;
  codes?: string[];
  customers?: string[];
  segment?: string;
  shared?: boolean;
}
export const useIssueCodes = () =>
  useOffers(({ id, ...body }: Issuing) => api.post<CouponPage>(`/offers/${id}/codes`, body));
export const useRevokeCoupon = () => useOffers((id: string) => api.post(`/coupons/${id}/revoke`, {}));
