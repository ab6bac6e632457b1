import { queryOptions } from '@tanstack/react-query';
import type { Money } from '@/lib/format';
import { api } from './client';
import type { Ref } from './types';

export const RECOMMEND_KINDS = ['personal', 'buy_again', 'together', 'similar'] as const;
export type RecommendKind = (typeof RECOMMEND_KINDS)[number];

export interface ProductReason {
  text: string;
  key: string;
  product?: Ref;
  lift?: number;
  confidence?: number;
}
export interface RecommendedProduct {
  product: Ref;
  brand: string;
  category: string;
  score: number;
  reasons: ProductReason[];
}
/** A list of products; version 0 says that the model has not learned yet. */
export interface Recommendations {
  kind: RecommendKind;
  version: number;
  until?: string;
  cold: boolean;
  items: RecommendedProduct[];
}

export interface DueAgain {
  on: string;
  from: string;
  to: string;
  in: number;
  late: number;
  gaps: number;
}
export type Standing = 'regular' | 'lapsed' | 'occasional';
/** A product, or a category, that a customer bought. */
export interface BoughtProduct {
  product?: Ref;
  category: string;
  standing: Standing;
  days: number;
  periods: number;
  quantity: number;
  amount: Money;
  first: string;
  last: string;
  due: DueAgain | null;
}
export interface PreferredPart {
  key: string;
  share: number;
  count: number;
}
export interface BuyingHabits {
  version: number;
  today: string;
  habit: { regular_days: number; period_days: number; periods: number; in_periods: number };
  products: BoughtProduct[];
  categories: BoughtProduct[];
  brands: PreferredPart[];
  styles: PreferredPart[];
  counts: Record<Standing, number>;
  price: { low: Money; median: Money; high: Money; band: string; pieces: number } | null;
  purchases: number;
  weekdays: number[];
  dayparts: number[];
  weekday: number | null;
  daypart: number | null;
}

export interface RecommendQuality {
  task: 'new' | 'again';
  method: string;
  chosen: boolean;
  customers: number;
  hit: number;
  ndcg: number;
  recall: number;
  coverage: number;
}
export interface RecommendOverview {
  version: number;
  until?: string;
  held_from?: string;
  held_until?: string;
  method: string;
  half_life: number;
  listed: number;
  products: number;
  orders: number;
  judged: RecommendQuality[];
  rules: number;
  categories: string[];
  brands: string[];
}
export interface Association {
  from: Ref;
  to: Ref;
  both: number;
  with_from: number;
  with_to: number;
  support: number;
  confidence: number;
  reverse: number;
  lift: number;
  lift_low: number;
  q: number;
  sure: boolean;
}
export interface RecommendRules {
  on_sale: boolean;
  not_returned: boolean;
  not_bought_days: number;
  per_brand: number;
  per_category: number;
  without_categories: string[];
  without_brands: string[];
  for_audience: boolean;
}

export const recommendationsQuery = (customer: string, kind: RecommendKind, limit = 10) =>
  queryOptions({
    queryKey: ['recommend', 'customer', customer, kind, limit],
    queryFn: ({ signal }) =>
      api.get<Recommendations>(`/customers/${customer}/recommendations?kind=${kind}&limit=${limit}`, { signal }),
    staleTime: 30_000,
  });

export const habitsQuery = (customer: string) =>
  queryOptions({
    queryKey: ['recommend', 'habits', customer],
    queryFn: ({ signal }) => api.get<BuyingHabits>(`/customers/${customer}/preferences`, { signal }),
    staleTime: 30_000,
  });

export const productListQuery = (product: string, kind: 'similar' | 'together') =>
  queryOptions({
    queryKey: ['recommend', 'product', product, kind],
    queryFn: ({ signal }) => api.get<Recommendations>(`/products/${product}/${kind}?limit=12`, { signal }),
    staleTime: 30_000,
  });

export const recommendQuery = () =>
  queryOptions({
    queryKey: ['recommend', 'overview'],
    queryFn: ({ signal }) => api.get<RecommendOverview>('/recommend', { signal }),
    staleTime: 30_000,
  });

export const associationsQuery = (product: string | undefined) =>
  queryOptions({
    queryKey: ['recommend', 'associations', product ?? ''],
    queryFn: ({ signal }) =>
      api.get<{ orders: number; items: Association[] }>(
        `/recommend/associations?limit=200${product === undefined ? '' : `&product=${product}`}`,
        { signal },
      ),
    staleTime: 30_000,
    placeholderData: (before) => before,
  });

export const recommendRulesQuery = () =>
  queryOptions({
    queryKey: ['recommend', 'rules'],
    queryFn: ({ signal }) => api.get<RecommendRules>('/recommend/rules', { signal }),
  });

export const saveRecommendRules = (rules: RecommendRules) => api.patch<RecommendRules>('/recommend/rules', rules);

export const recommendPreviewQuery = (customer: string, kind: RecommendKind, rules: RecommendRules) =>
  queryOptions({
    queryKey: ['recommend', 'preview', customer, kind, rules],
    queryFn: ({ signal }) =>
      api.post<Recommendations>('/recommend/preview', { customer, kind, limit: 10, rules }, { signal }),
    staleTime: 30_000,
    placeholderData: (before) => before,
  });
