import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Items, RecordData } from './types';

/** Objects that people work with, in the order in which they are offered. */
export const ACTIVITIES = ['task', 'call', 'meeting', 'visit', 'note'] as const;
export type Activity = (typeof ACTIVITIES)[number];
export const isActivity = (object: string): object is Activity => (ACTIVITIES as readonly string[]).includes(object);

/** The field that says when; notes have none. */
export const WHEN: Record<Activity, string | null> = {
  task: 'due_at',
  call: 'starts_at',
  meeting: 'starts_at',
  visit: 'starts_at',
  note: null,
};

export interface AgendaItem {
  record: RecordData;
  at: string | null;
  /** The local day, empty without a time. */
  day: string;
}
export interface MyDay {
  today: string;
  overdue: AgendaItem[];
  overdue_total: number;
  due: AgendaItem[];
  upcoming: AgendaItem[];
  undated: AgendaItem[];
  done: AgendaItem[];
}

export const dayQuery = (user = '') =>
  queryOptions({
    queryKey: ['work', 'day', user],
    queryFn: ({ signal }) => api.get<MyDay>('/day', { query: { user }, signal }),
  });

/** From a day up to, and without, another. */
export const agendaQuery = (from: string, to: string, user = '') =>
  queryOptions({
    queryKey: ['work', 'agenda', from, to, user],
    queryFn: ({ signal }) => api.get<Items<AgendaItem>>('/agenda', { query: { from, to, user }, signal }),
    placeholderData: (old) => old,
  });

export const openWorkQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['work', 'open', object, id],
    queryFn: ({ signal }) => api.get<Items<AgendaItem>>(`/records/${object}/${id}/open`, { signal }),
  });

/** After something was added to or done with a record: everything that shows work, and timelines on screen. */
export function refreshWork(client: QueryClient): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: ['work'] }),
    client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'records' && queryKey[4] === 'timeline' }),
  ]);
}

type Held = Partial<Record<keyof MyDay, unknown>> & { items?: unknown };
/** A changed activity where lists of work hold it, so that the next press is made on the version that there is now. */
export function patchWorkCache(client: QueryClient, record: RecordData): void {
  const renewed = (list: unknown): unknown =>
    Array.isArray(list)
      ? list.map((item: Partial<AgendaItem>) =>
          item.record?.id === record.id
            ? { ...item, record: { ...item.record, ...record, fields: { ...item.record.fields, ...record.fields } } }
            : item,
        )
      : list;
  client.setQueriesData<Held>(
    { queryKey: ['work'] },
    (held) => held && Object.fromEntries(Object.entries(held).map(([key, list]) => [key, renewed(list)])),
  );
}

/** Whether my calendar has a secret address; the address itself is told once, when it is made. */
export const calendarQuery = () =>
  queryOptions({
    queryKey: ['calendar'],
    queryFn: ({ signal }) => api.get<{ active: boolean }>('/calendar', { signal }),
  });
export const makeCalendar = () => api.post<{ active: boolean; url?: string }>('/calendar', {});
export const endCalendar = () => api.delete('/calendar');
