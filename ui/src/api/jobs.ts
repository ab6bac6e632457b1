import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { createStore } from '@/lib/store';
import { orPropose } from './approval-gate';
import { API, api } from './client';
import type { Condition } from './conditions';
import type { Problem } from './errors';
import type { Label, Page, Ref, Sort } from './types';

export type JobKind = 'edit' | 'assign' | 'delete' | 'restore' | 'export';
export type JobStatus = 'collecting' | 'running' | 'done' | 'failed' | 'cancelled' | 'undoing' | 'undone';
export type ChangeOp = 'set' | 'clear' | 'add' | 'remove' | 'increase';
export type ExportFormat = 'csv' | 'xlsx' | 'ndjson' | 'parquet';
export type CsvEncoding = 'utf-8-bom' | 'utf-8' | 'gb18030';

export interface BulkChange {
  field: string;
  op: ChangeOp;
  value?: unknown;
}
/** Which records: ids, or everything that fits without some. */
export interface BulkSet {
  ids?: string[];
  where?: Condition;
  search?: string;
  segment?: string;
  except?: string[];
}
export interface BulkOrder extends BulkSet {
  action: Exclude<JobKind, 'export'>;
  changes?: BulkChange[];
  owner?: string | null;
  /** What becomes of records that somebody changes after the start. */
  changed?: 'skip' | 'apply';
}
export interface ExportOrder extends BulkSet {
  format: ExportFormat;
  encoding?: CsvEncoding;
  fields?: string[];
  sort?: Sort[];
  name?: string;
}

export interface JobError {
  record: Ref;
  field?: string;
  label?: Label;
  code: string;
  message: string;
}
/** A piece of bulk work. Figures are records. */
export interface Job {
  id: string;
  kind: JobKind;
  object: string;
  status: JobStatus;
  source: 'ids' | 'filter' | 'segment' | 'all';
  segment?: string;
  changes: { field: string; op: ChangeOp; value: unknown }[];
  owner: Ref | null;
  changed: 'skip' | 'apply';
  file: {
    format: ExportFormat;
    encoding?: CsvEncoding;
    fields: string[];
    downloadable: boolean;
    expires_at: string | null;
  } | null;
  progress: { done: number; total: number; rate: number; seconds_left: number; phase: string };
  result: {
    changed: number;
    unchanged: number;
    skipped: number;
    failed: number;
    bytes?: number;
    shortened?: number;
    seconds: number;
    restored?: number;
    partly?: number;
    kept?: number;
  };
  error: Problem | null;
  created_by: Ref | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  mine: boolean;
  undoable: boolean;
  resumable: boolean;
  errors_sample: JobError[];
}
export interface BulkPreview {
  count: number;
  items: {
    id: string;
    title: string;
    before: Record<string, unknown>;
    after: Record<string, unknown>;
    same: boolean;
    error: Problem | null;
  }[];
}

const BUSY: ReadonlySet<JobStatus> = new Set(['collecting', 'running', 'undoing']);
export const isJobBusy = (job: Job): boolean => BUSY.has(job.status);

export const jobsQuery = (kind: JobKind | null, all: boolean) =>
  infiniteQueryOptions({
    queryKey: ['jobs', 'list', kind, all],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Job>>('/jobs', { query: { kind, all: all || null, cursor: pageParam, limit: 50 }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['jobs', 'one', id],
    queryFn: ({ signal }) => api.get<Job>(`/jobs/${id}`, { signal }),
    refetchInterval: (query) => (query.state.data !== undefined && isJobBusy(query.state.data) ? 1_000 : false),
  });
/** Jobs of mine that are going on. */
export const activeJobsQuery = () =>
  queryOptions({
    queryKey: ['jobs', 'active'],
    queryFn: ({ signal }) => api.get<Page<Job>>('/jobs', { query: { active: true, limit: 20 }, signal }),
    refetchInterval: (query) => ((query.state.data?.items.length ?? 0) > 0 ? 1_000 : false),
  });

export const previewBulk = (object: string, order: BulkOrder, signal: AbortSignal) =>
  api.post<BulkPreview>(`/records/${object}/bulk/preview`, order, { signal });
export const startBulk = (object: string, order: BulkOrder) => api.post<Job>(`/records/${object}/bulk`, order);
export const startExport = (object: string, order: ExportOrder) =>
  orPropose(api.post<Job>(`/records/${object}/exports`, order), { object, action: 'export', order: { ...order } });
export const steerJob = (id: string, what: 'cancel' | 'resume' | 'undo') => api.post<Job>(`/jobs/${id}/${what}`);
export const jobErrorsUrl = (id: string): string => `${API}/jobs/${id}/errors`;
export const jobFileUrl = (id: string): string => `${API}/jobs/${id}/file`;

/** Jobs whose end this page is to be told of: those that were started or undone here. */
export const watchedJobs = createStore<readonly string[]>([]);
export function watchJob(client: QueryClient, job: Job): void {
  // What was read of it before it was begun again must not pass for its end.
  client.setQueryData(['jobs', 'one', job.id], job);
  watchedJobs.set((old) => (old.includes(job.id) ? old : [...old, job.id]));
  client.invalidateQueries({ queryKey: ['jobs'] });
}
