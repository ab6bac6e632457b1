import { infiniteQueryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { AuditEntry, Page } from './types';

/** Days are of the workspace's time zone, both included. */
export interface AuditFilter {
  actor?: string;
  action?: string;
  object?: string;
  from?: string;
  to?: string;
}

/** What a walk along the chain of the trail found; reason, place and entry tell of the first break. */
export interface TrailCheck {
  entries: number;
  erased: number;
  head: string;
  ok: boolean;
  reason: '' | 'missing' | 'changed' | 'hash' | 'added' | 'head';
  place?: number;
  entry?: string;
}

export const auditQuery = (filter: AuditFilter = {}, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter, limit],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<AuditEntry>>('/audit', { query: { ...filter, limit, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });

export const checkTrail = (head: string) => api.get<TrailCheck>('/audit/check', { query: { head } });

export const auditExportUrl = (filter: AuditFilter) =>
  `/api/v1/audit/export?${new URLSearchParams(Object.entries(filter))}`;
