import { queryOptions } from '@tanstack/react-query';
import { createStore } from '@/lib/store';
import type { RecordApprovals } from './approvals';
import { api } from './client';
import { isApiError } from './errors';
import type { FieldValues } from './types';

export const approvalCountQuery = () =>
  queryOptions({
    queryKey: ['approvals', 'count'],
    queryFn: ({ signal }) => api.get<{ count: number }>('/approvals/count', { signal }),
    refetchInterval: 60_000,
    retry: false,
  });
export const recordApprovalsQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['records', object, 'one', id, 'approvals'],
    queryFn: ({ signal }) => api.get<RecordApprovals>(`/records/${object}/${id}/approvals`, { signal }),
  });

/** A write that the server holds back until somebody has agreed to it. */
export interface Proposal {
  object: string;
  action: 'create' | 'update' | 'delete' | 'assign' | 'export';
  record?: string;
  version?: number;
  fields?: FieldValues;
  owner?: string | null;
  /** Of an export: what the request for it said. */
  order?: Record<string, unknown>;
}

/** The proposal that somebody is asked about: whether to send it, and why. The shell shows the question. */
export const wantedApproval = createStore<Proposal | null>(null);
/** Who must know that the proposal in question was sent: the form that it came from closes. */
export const approvalSent = createStore<Proposal | null>(null);

export const isApprovalNeeded = (error: unknown): boolean => isApiError(error, 409) && error.code === 'approval.needed';

/** Passes a write on; one that needs agreement is offered to be sent for it, and refused all the same. */
export async function orPropose<T>(write: Promise<T>, proposal: Proposal): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (isApprovalNeeded(error)) wantedApproval.set(proposal);
    throw error;
  }
}
