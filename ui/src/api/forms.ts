import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { api } from './client';
import type { Items } from './types';

export type FormStatus = 'draft' | 'active' | 'ended';
export interface FormWords {
  title: string;
  text: string;
  button: string;
  thanks: string;
}
export interface FormField {
  key: string;
  required: boolean;
  label: Record<string, string>;
}
export interface FormConsent {
  purpose: string;
  channels: string[];
  required: boolean;
}
export interface FormCode {
  key: string;
  name: string;
  store: string;
  source: string;
  medium: string;
  campaign: string;
}
export interface FormPlan {
  locale: string;
  words: Record<string, FormWords>;
  fields: FormField[];
  consents: FormConsent[];
  thanks_url: string;
  privacy: string;
  contacts: boolean;
  offer: string;
  origins: string[];
  codes: FormCode[];
}
export interface FormSums {
  shown: number;
  sent: number;
  made: number;
  waiting: number;
  confirmed: number;
  gifts: number;
}
export interface FormShown {
  id: string;
  name: string;
  status: FormStatus;
  address: string;
  plan: FormPlan;
  version: number;
  sums: FormSums;
  codes: Record<string, FormSums>;
}
export interface FormInput {
  key: string;
  type: string;
  label: Record<string, string>;
  personal: boolean;
}
export const FORM_STATES = ['', 'made', 'waiting', 'confirmed', 'gift'] as const;
export type FormState = (typeof FORM_STATES)[number];
export interface FormSubmission {
  id: string;
  customer: string;
  name: string;
  at: string;
  made: boolean;
  several: boolean;
  state: 'taken' | 'waiting' | 'confirmed';
  confirmed_at: string | null;
  gift: '' | 'given' | 'failed';
  code: string;
  source: string;
  medium: string;
  campaign: string;
  referrer: string;
  filled: string[];
  left: string[];
  agreements: { purpose: string; channel: string; what: string }[];
}

export const formsQuery = () =>
  queryOptions({ queryKey: ['forms'], queryFn: ({ signal }) => api.get<Items<FormShown>>('/forms', { signal }) });
export const formQuery = (id: string) =>
  queryOptions({
    queryKey: ['forms', id],
    queryFn: ({ signal }) => api.get<FormShown>(`/forms/${id}`, { signal }),
  });
export const formInputsQuery = () =>
  queryOptions({
    queryKey: ['forms', 'inputs'],
    queryFn: ({ signal }) => api.get<Items<FormInput>>('/forms/inputs', { signal }),
  });
/** Submissions of some months by people who came from somewhere. */
export interface FormTrace {
  source: string;
  campaign: string;
  from: string;
  to: string;
}
export const formSubmissionsQuery = (id: string, state: FormState, code: string, trace: FormTrace | null = null) =>
  infiniteQueryOptions({
    queryKey: ['forms', id, 'submissions', state, code, trace],
    queryFn: ({ pageParam, signal }) =>
      api.get<{ items: FormSubmission[]; next_cursor: string | null }>(`/forms/${id}/submissions`, {
        query: {
          state: state || undefined,
          code: code || undefined,
          cursor: pageParam,
          ...(trace !== null && { traced: true, ...trace }),
        },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
/** The square code of a poster or link as a file. */
export const formCodeUrl = (id: string, code: string, format: 'svg' | 'png') =>
  `/api/v1/forms/${id}/code?${new URLSearchParams({ code, format })}`;

export interface AcquisitionRow {
  origin: string;
  name: string;
  source: string;
  campaign: string;
  customers: number;
  bought: number;
  cost: number;
}
export interface AcquisitionCost {
  month: string;
  origin: string;
  source: string;
  campaign: string;
  amount: number;
}
export interface Acquisition {
  from: string;
  to: string;
  sources: AcquisitionRow[];
  forms: AcquisitionRow[];
  costs: AcquisitionCost[];
  bought: boolean;
}
export const acquisitionQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ['forms', 'acquisition', from, to],
    queryFn: ({ signal }) => api.get<Acquisition>('/acquisition', { query: { from, to }, signal }),
    placeholderData: keepPreviousData,
  });
export function useSetCost() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (cost: AcquisitionCost) => api.post('/acquisition/costs', cost),
    onSettled: () => client.invalidateQueries({ queryKey: ['forms', 'acquisition'] }),
  });
}

interface Input {
  id?: string;
  version: number;
  name: string;
  plan: FormPlan;
  status?: FormStatus;
}
export function useSaveForm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version, name, plan, status }: Input) =>
      id === undefined
        ? api.post<FormShown>('/forms', { name, plan })
        : api.patch<FormShown>(
            `/forms/${id}`,
            { name, plan, ...(status !== undefined && { status }) },
            { ifMatch: version },
          ),
    onSettled: () => client.invalidateQueries({ queryKey: ['forms'] }),
  });
}
