import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type RecordQuery, recordPageQuery } from '@/api';
import { createStore, useStore } from '@/lib/store';
import type { ListSearch } from './search';

/** The list that a record was opened from: the way back, and what comes before and after. */
export interface ListContext {
  object: string;
  search: ListSearch;
  query: RecordQuery;
  /** Place of the record in the list, from 0. */
  row: number;
  id: string;
}

const KEY = 'guanxi.list';

function stored(): ListContext | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as ListContext | null;
  } catch {
    return null;
  }
}
const store = createStore<ListContext | null>(stored());

export function rememberList(context: ListContext): void {
  store.set(context);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(context));
  } catch {
    // Without it, there is no way to the next record; nothing else depends on it.
  }
}

/** The list that a record belongs to; null when it was opened from elsewhere. */
export function useListContext(object: string, id: string): ListContext | null {
  const context = useStore(store);
  return context !== null && context.object === object && context.id === id ? context : null;
}

const LIMIT = 10_000;

export interface Neighbours {
  row: number;
  previous: { id: string; title: string } | null;
  next: { id: string; title: string } | null;
}

/** The records before and after, in the order of the list. The list may have changed: then it is where the record is now. */
export function useNeighbours(context: ListContext | null): Neighbours | null {
  const from = Math.max(0, (context?.row ?? 0) - 1);
  const answer = useQuery({
    ...recordPageQuery(context?.object ?? '', { ...context?.query, fields: [], limit: 3, offset: from }),
    enabled: context !== null && from < LIMIT,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  if (context === null || answer.data === undefined) return null;
  const { items } = answer.data;
  const at = items.findIndex((item) => item.id === context.id);
  if (at < 0) return null;
  const pick = (place: number) => {
    const item = items[place];
    return item === undefined ? null : { id: item.id, title: item.title };
  };
  return { row: from + at, previous: at > 0 ? pick(at - 1) : null, next: pick(at + 1) };
}
