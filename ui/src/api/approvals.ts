import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import type { Proposal } from './approval-gate';
import { api } from './client';
import type { Condition } from './conditions';
import type { RecordFile } from './files';
import type { Actor, Change, FieldValues, Items, Label, Page, Ref } from './types';

export const APPROVAL_ACTIONS = ['create', 'update', 'move', 'delete', 'export'] as const;
export type ApprovalAction = (typeof APPROVAL_ACTIONS)[number];
export const APPROVAL_MODES = ['any', 'all', 'majority', 'sequence'] as const;
export type ApprovalMode = (typeof APPROVAL_MODES)[number];
export const APPROVER_KINDS = ['user', 'role', 'unit', 'head', 'manager', 'chain', 'field', 'field_manager'] as const;
export type ApproverKind = (typeof APPROVER_KINDS)[number];
export const LATE_KINDS = ['remind', 'escalate', 'approve', 'reject'] as const;
export type LateKind = (typeof LATE_KINDS)[number];
export const NOBODY_KINDS = ['administrators', 'skip', 'reject'] as const;
export type NobodyKind = (typeof NOBODY_KINDS)[number];
export const OWN_KINDS = ['leave', 'agree', 'ask'] as const;
export type OwnKind = (typeof OWN_KINDS)[number];

export interface Approver {
  kind: ApproverKind;
  user?: string;
  role?: string;
  unit?: string;
  field?: string;
  level?: number;
}
export interface ProcessStep {
  name: string;
  where?: Condition;
  who: Approver[];
  mode: ApprovalMode;
  hours?: number;
  late?: LateKind;
  escalate?: Approver[];
  nobody?: NobodyKind;
}
export interface ProcessSpec {
  name: string;
  object: string;
  enabled: boolean;
  action: ApprovalAction;
  fields?: string[];
  from?: string[];
  to?: string[];
  where?: Condition;
  free?: Condition;
  for?: Approver[];
  except?: Approver[];
  whole: boolean;
  own: OwnKind;
  once: boolean;
  steps: ProcessStep[];
}
export interface ApprovalProcess {
  id: string;
  version: number;
  spec: ProcessSpec;
  where_sentence?: Label;
  updated_at: string;
}

export type ApprovalState = 'pending' | 'returned' | 'approved' | 'applied' | 'rejected' | 'withdrawn' | 'failed';
export type ApprovalTab = 'waiting' | 'mine' | 'done' | 'all';

export interface ApprovalTask {
  id: string;
  person: Ref;
  state: 'waiting' | 'pending' | 'approved' | 'rejected' | 'returned' | 'handed' | 'escalated' | 'cancelled';
  by: Ref | null;
  deputy: Ref | null;
  auto: boolean;
  extra: boolean;
  due_at: string | null;
  decided_at: string | null;
  comment: string;
}
export interface ApprovalStep {
  name: string;
  mode: ApprovalMode;
  state: 'done' | 'current' | 'ahead';
  tasks: ApprovalTask[];
}
export interface ApprovalEvent {
  id: string;
  at: string;
  kind: string;
  title: Label;
  actor: Actor;
  for: Ref | null;
  people: Ref[];
  comment: string;
  reason?: string;
}
export interface ApprovalExport {
  format: string;
  fields: Label[];
  sentence?: Label;
  search?: string;
  count?: number;
}
export interface Approval {
  id: string;
  name: string;
  object: string;
  label: Label;
  action: ApprovalAction;
  assign: boolean;
  state: ApprovalState;
  record: Ref | null;
  title: string;
  visible: boolean;
  requester: Actor;
  at: string;
  ended_at: string | null;
  comment: string;
  changes: Change[];
  export?: ApprovalExport;
  step: string;
  waiting: Ref[];
  steps?: ApprovalStep[];
  events?: ApprovalEvent[];
  files?: RecordFile[];
  stale: boolean;
  mine: boolean;
  asked: boolean;
  for: Ref | null;
  reason?: string;
  job?: string;
  due_at: string | null;
}
export interface ApprovalWay {
  name: string;
  action: string;
  steps: { name: string; mode: ApprovalMode; people: Ref[]; nobody: NobodyKind }[];
}
export interface RecordApprovals {
  items: Approval[];
  locks: { request: string; name: string; whole: boolean; fields: string[]; labels: Label[] }[];
  guarded: ApprovalAction[];
}
export interface Away {
  deputy: Ref | null;
  since: string | null;
  until: string | null;
}

const KEY = ['approvals'] as const;

export const approvalsQuery = (tab: ApprovalTab, object = '') =>
  infiniteQueryOptions({
    queryKey: [...KEY, 'list', tab, object],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Approval>>('/approvals', { query: { tab, object, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
export const approvalQuery = (id: string) =>
  queryOptions({
    queryKey: [...KEY, 'one', id],
    queryFn: ({ signal }) => api.get<Approval>(`/approvals/${id}`, { signal }),
    retry: false,
  });
export const processesQuery = (object = '') =>
  queryOptions({
    queryKey: [...KEY, 'processes', object],
    queryFn: ({ signal }) => api.get<Items<ApprovalProcess>>('/approval-processes', { query: { object }, signal }),
  });
export const awayQuery = () =>
  queryOptions({ queryKey: [...KEY, 'away'], queryFn: ({ signal }) => api.get<Away>('/approvals/away', { signal }) });

export const createProcess = (spec: ProcessSpec) => api.post<ApprovalProcess>('/approval-processes', { spec });
export const changeProcess = (id: string, version: number, spec: ProcessSpec) =>
  api.patch<ApprovalProcess>(`/approval-processes/${id}`, { version, spec });
export const deleteProcess = (id: string) => api.delete(`/approval-processes/${id}`);
export const setAway = (away: { deputy: string | null; since?: string; until?: string }) =>
  api.patch<Away>('/approvals/away', away);

const act = (id: string, what: string, body: unknown) => api.post<Approval>(`/approvals/${id}/${what}`, body);
export const decideApproval = (
  id: string,
  body: { answer: 'approve' | 'reject' | 'return'; comment: string; to?: number },
) => act(id, 'decide', body);
export const decideApprovals = (ids: string[], answer: 'approve' | 'reject', comment: string) =>
  api.post<Items<{ id: string; state?: string; error?: { title: string } }>>('/approvals/decide', {
    ids,
    answer,
    comment,
  });
export const handOver = (id: string, person: string, comment: string) => act(id, 'hand-over', { person, comment });
export const addApprovers = (id: string, people: string[], when: 'before' | 'with' | 'after', comment: string) =>
  act(id, 'add', { people, when, comment });
export const withdrawApproval = (id: string, comment = '') => act(id, 'withdraw', { comment });
export const commentApproval = (id: string, comment: string) => act(id, 'comments', { comment });
export const resubmitApproval = (id: string, fields: FieldValues, drop: string[], comment: string) =>
  act(id, 'resubmit', { fields, drop, comment });

export const previewApproval = (proposal: Proposal) => {
  const { order: _, ...body } = proposal;
  return api.post<ApprovalWay>('/approvals/preview', body);
};
export const submitApproval = ({ order, ...proposal }: Proposal, comment: string, files: string[]) =>
  order === undefined
    ? api.post<Approval>('/approvals', { ...proposal, comment, ...(files.length > 0 && { files }) })
    : api.post<Approval>('/approvals/exports', { ...order, object: proposal.object, comment });

/** Puts a request that moved into the cache, and has everything read again that shows one. */
export async function refreshApprovals(client: QueryClient, moved?: Approval): Promise<void> {
  if (moved !== undefined) client.setQueryData(approvalQuery(moved.id).queryKey, moved);
  await Promise.all([
    client.invalidateQueries({ queryKey: KEY }),
    moved?.record
      ? client.invalidateQueries({ queryKey: ['records', moved.object, 'one', moved.record.id] })
      : Promise.resolve(),
  ]);
}
