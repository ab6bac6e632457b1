import { infiniteQueryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { AuditEntry, Page } from './types';

export const auditQuery = (filter: { actor?: string; action?: string } = {}, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter, limit],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<AuditEntry>>('/audit', { query: { ...filter, limit, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
