import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Items, Ref } from './types';

export const CHANNELS = ['email', 'sms', 'task', 'webhook'] as const;
export type BlockKind = 'heading' | 'text' | 'button' | 'image' | 'divider' | 'columns' | 'products' | 'coupon';
export interface Block {
  kind: BlockKind;
  text?: string;
  url?: string;
  image?: string;
  count?: number;
  left?: Block[];
  right?: Block[];
}
export interface MessageDocument {
  subject?: string;
  preheader?: string;
  blocks?: Block[];
  text?: string;
  offer?: string;
  /** Of a short message: what the provider calls the text that it approved, and the values for its places. */
  code?: string;
  params?: { key: string; value: string }[];
}
export type MessageLocale = 'zh-CN' | 'en';
export interface MessageBody {
  locale: MessageLocale;
  documents: Partial<Record<MessageLocale, MessageDocument>>;
}
export interface MessageTemplate {
  id: string;
  name: string;
  channel: 'email' | 'sms';
  version: number;
  archived: boolean;
  body: MessageBody;
  created_at: string;
  updated_at: string;
  updated_by: Ref;
}
export interface MessageFinding {
  at: string;
  code: string;
  what: string;
  line: number;
  severe: boolean;
  text: string;
}
export interface MessagePreview {
  subject: string;
  html: string;
  text: string;
  length: { coding: string; units: number; parts: number; room: number };
  /** There is an account whose signature was added. */
  signed: boolean;
  /** Of the short message, thousandths of a minor unit. */
  price: number;
  findings: MessageFinding[];
  fields: { path: string; label: string }[];
}
export const templatesQuery = () =>
  queryOptions({
    queryKey: ['templates'],
    queryFn: ({ signal }) => api.get<Items<MessageTemplate>>('/templates', { signal }),
  });
export const templateQuery = (id: string, version = 0) =>
  queryOptions({
    queryKey: ['templates', id, version],
    queryFn: ({ signal }) =>
      api.get<MessageTemplate>(`/templates/${id}${version > 0 ? `?version=${version}` : ''}`, { signal }),
  });
export const templateVersionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['templates', id, 'versions'],
    queryFn: ({ signal }) =>
      api.get<Items<{ version: number; by: Ref; at: string }>>(`/templates/${id}/versions`, { signal }),
  });
interface PreviewAsk {
  channel: string;
  body: MessageBody;
  locale: string;
  customer?: string;
}
export const templatePreviewQuery = (ask: PreviewAsk) =>
  queryOptions({
    queryKey: ['templates', 'preview', ask],
    queryFn: ({ signal }) => api.post<MessagePreview>('/templates/preview', ask, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export type CampaignStatus = 'draft' | 'scheduled' | 'planning' | 'sending' | 'paused' | 'sent' | 'stopped';
export interface CampaignVariant {
  key: string;
  template?: string;
  version?: number;
  weight: number;
  /** Of a task or a webhook. */
  title?: string;
  text?: string;
}
export interface CampaignPlan {
  segments: string[];
  except: string[];
  purpose: string;
  variants: CampaignVariant[];
  holdout: number;
  start: string | null;
  local: boolean;
  per_minute: number;
  drop_quiet: boolean;
  wait_cap: boolean;
  days: number;
  cost: number;
  fixed: number;
  margin: number;
  profile: string;
  /** Of text messages and webhooks. */
  account?: string;
  /** Of tasks: who gets them, and how many days they have. */
  owner?: string;
  due?: number;
  utm_source: string;
  utm_medium: string;
  utm_campaign: string;
}
export interface Campaign {
  id: string;
  name: string;
  channel: string;
  status: CampaignStatus;
  plan: CampaignPlan;
  version: number;
  audience: number;
  reason: string;
  created_at: string;
  updated_at: string;
  updated_by: Ref;
  start_at: string | null;
  began_at: string | null;
  ended_at: string | null;
}
export interface GateCount {
  gate: string;
  count: number;
}
export interface CampaignTrial {
  audience: number;
  gates: GateCount[];
  reached: number;
  waiting: number;
  arms: Record<string, number>;
  samples: Ref[];
}
export interface CampaignGroup {
  arm: string;
  assigned: number;
  sent: number;
  bounced: number;
  opened: number;
  machine_opened: number;
  clicked: number;
  unsubscribed: number;
  complained: number;
  delivered: number;
  buyers: number;
  orders: number;
  revenue: number;
  revenue_each: number;
}
export interface CampaignEffect {
  ok: boolean;
  why: string;
  treated: number;
  control: number;
  lift: number;
  low: number;
  high: number;
  p: number;
  verdict: 'better' | 'worse' | 'unclear' | 'unknown';
}
interface Range {
  value: number;
  low: number;
  high: number;
}
export interface CampaignResult {
  audience: number;
  states: { state: string; count: number }[];
  gates: GateCount[];
  waits: GateCount[];
  groups: CampaignGroup[];
  treated: CampaignGroup;
  control: CampaignGroup;
  global_holdout: number;
  links: { number: number; url: string; people: number; clicks: number; machine_clicks: number }[];
  reasons: { state: string; code: string; count: number }[];
  cost: number;
  from: string | null;
  to: string | null;
  open: boolean;
  buyers: CampaignEffect;
  revenue: CampaignEffect;
  incremental: Range;
  profit: Range;
  balanced: boolean;
  balance_p: number;
  best: string;
  at: string;
}
export interface CampaignPeople {
  items: { id: string; customer: Ref; arm: string; state: string; gate: string; reason: string; at: string | null }[];
  hidden: number;
  next: string;
}
export interface ContactRules {
  version: number;
  holdout: number;
  cycle: string;
  caps: { channel: string; days: number; most: number }[];
  windows: { channel: string; from: number; to: number }[];
  four_eyes: boolean;
}
export const campaignsQuery = () =>
  queryOptions({
    queryKey: ['campaigns'],
    queryFn: ({ signal }) => api.get<Items<Campaign>>('/campaigns', { signal }),
  });
export const campaignQuery = (id: string) =>
  queryOptions({
    queryKey: ['campaigns', id],
    queryFn: ({ signal }) => api.get<Campaign>(`/campaigns/${id}`, { signal }),
  });
export const campaignResultQuery = (id: string) =>
  queryOptions({
    queryKey: ['campaigns', id, 'result'],
    queryFn: ({ signal }) => api.get<CampaignResult>(`/campaigns/${id}/result`, { signal }),
    placeholderData: keepPreviousData,
  });
export const campaignPeopleQuery = (id: string, state: string, gate: string) =>
  queryOptions({
    queryKey: ['campaigns', id, 'people', state, gate],
    queryFn: ({ signal }) => api.get<CampaignPeople>(`/campaigns/${id}/people?state=${state}&gate=${gate}`, { signal }),
  });
export const contactRulesQuery = () =>
  queryOptions({
    queryKey: ['campaigns', 'rules'],
    queryFn: ({ signal }) => api.get<ContactRules>('/contact-rules', { signal }),
  });

function useAction<I, O>(key: string, call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSettled: () => client.invalidateQueries({ queryKey: [key] }) });
}
interface TemplateInput {
  id?: string;
  version: number;
  name: string;
  channel: string;
  body: MessageBody;
}
export const useSaveTemplate = () =>
  useAction('templates', ({ id, version, name, channel, body }: TemplateInput) =>
    id === undefined
      ? api.post<MessageTemplate>('/templates', { name, channel, body })
      : api.patch<MessageTemplate>(`/templates/${id}`, { name, body }, { ifMatch: version }),
  );
export const useTestTemplate = () =>
  useMutation({
    mutationFn: ({ id, locale, customer }: { id: string; locale: string; customer: string }) =>
      api.post<{ to: string }>(`/templates/${id}/test`, { locale, customer }),
  });
interface CampaignInput {
  id?: string;
  version: number;
  name: string;
  channel: string;
  plan: CampaignPlan;
}
export const useSaveCampaign = () =>
  useAction('campaigns', ({ id, version, name, channel, plan }: CampaignInput) =>
    id === undefined
      ? api.post<Campaign>('/campaigns', { name, channel, plan })
      : api.patch<Campaign>(`/campaigns/${id}`, { name, plan }, { ifMatch: version }),
  );
export const useDeleteCampaign = () => useAction('campaigns', (id: string) => api.delete(`/campaigns/${id}`));
/** The last dry run of a draft; it outlives the page that asked for it, since the first one saves the draft under its own address. */
export const campaignTrialQuery = (id: string) =>
  queryOptions<CampaignTrial | null>({ queryKey: ['campaign-trial', id], queryFn: () => null, enabled: false });
export function useTryCampaign() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<CampaignTrial>(`/campaigns/${id}/try`, {}),
    onSuccess: (trial, id) => client.setQueryData(campaignTrialQuery(id).queryKey, trial),
  });
}
export const useMoveCampaign = () =>
  useAction(
    'campaigns',
    ({ id, to, version }: { id: string; to: 'start' | 'pause' | 'resume' | 'stop'; version: number }) =>
      api.post<Campaign>(`/campaigns/${id}/${to}`, to === 'start' ? { version } : {}),
  );
export const useSaveContactRules = () =>
  useAction('campaigns', (rules: ContactRules) => api.patch<ContactRules>('/contact-rules', rules));
