import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Actor, Items, Page, RecordData, Ref } from './types';

export interface Comment {
  id: string;
  /** People stand in it as @[name](usr_…). */
  body: string;
  author: Actor;
  at: string;
  edited_at: string | null;
  deleted_at: string | null;
  deleted_by: Actor | null;
  version: number;
  mine: boolean;
  can_delete: boolean;
}

export const NOTICE_KINDS = [
  'assigned',
  'mentioned',
  'reminder',
  'approval',
  'stage',
  'commented',
  'changed',
  'job',
  'automation',
  'anomaly',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

export interface Notice {
  id: string;
  kind: NoticeKind;
  at: string;
  read_at: string | null;
  times: number;
  actor: Actor | null;
  record: Ref | null;
  detail: {
    comment?: string;
    text?: string;
    job?: string;
    status?: string;
    job_id?: string;
    at?: string;
    approval?: string;
  };
}

const of = (object: string, id: string) => `/records/${object}/${id}`;

export const postComment = (object: string, id: string, body: string) =>
  api.post<Comment>(`${of(object, id)}/comments`, { body });
export const editComment = (id: string, body: string, version: number) =>
  api.patch<Comment>(`/comments/${id}`, { body }, { ifMatch: version });
export const deleteComment = (id: string) => api.delete(`/comments/${id}`);
export const revisionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['comments', id, 'revisions'],
    queryFn: ({ signal }) =>
      api.get<Items<{ version: number; body: string; at: string }>>(`/comments/${id}/revisions`, { signal }),
  });

export const followQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['follow', object, id],
    queryFn: ({ signal }) => api.get<{ following: boolean }>(`${of(object, id)}/follow`, { signal }),
  });
export const setFollow = (object: string, id: string, following: boolean) =>
  api.post<{ following: boolean }>(`${of(object, id)}/follow`, { following });

export const unreadQuery = () =>
  queryOptions({
    queryKey: ['notifications', 'unread'],
    queryFn: ({ signal }) => api.get<{ count: number }>('/notifications/unread', { signal }),
    refetchInterval: 60_000,
  });
export const noticesQuery = (unread: boolean) =>
  infiniteQueryOptions({
    queryKey: ['notifications', 'list', unread],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Notice>>('/notifications', {
        query: { cursor: pageParam, ...(unread && { unread: true }) },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
/** Marks some as read, all of them when none is named. */
export async function readNotices(client: QueryClient, ids: string[] = []): Promise<void> {
  const answer = await api.post<{ count: number }>('/notifications/read', ids.length === 0 ? {} : { ids });
  client.setQueryData(unreadQuery().queryKey, answer);
  await client.invalidateQueries({ queryKey: ['notifications', 'list'] });
}
export const noticePreferencesQuery = () =>
  queryOptions({
    queryKey: ['notifications', 'preferences'],
    queryFn: ({ signal }) => api.get<{ kinds: Record<NoticeKind, boolean> }>('/notifications/preferences', { signal }),
  });
export const setNoticePreferences = (kinds: Partial<Record<NoticeKind, boolean>>) =>
  api.patch<{ kinds: Record<NoticeKind, boolean> }>('/notifications/preferences', { kinds });

/** Puts fields back to what they were at a version: those named, or all that changed since. */
export const revertRecord = (record: RecordData, to: number, fields: string[] = []) =>
  api.post<RecordData>(`${of(record.object, record.id)}/revert`, fields.length === 0 ? { to } : { to, fields }, {
    ifMatch: record.version,
  });
