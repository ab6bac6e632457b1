import { keepPreviousData, type QueryClient, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type FigureGroup, type RecordData, type RecordPage, type RecordQuery, recordPageQuery } from '@/api';
import { useDebounced } from '@/lib/hooks';
import type { Grouping } from './grid-props';
import { pagesOf } from './windowing';

export const PAGE = 100;
/** The server seeks by offset up to here; further on only from page to page by cursor. */
export const OFFSET_LIMIT = 10_000;
/** Further pages cannot be counted to; "jump to" goes there by a value. */
export const MOST_PAGES = OFFSET_LIMIT / PAGE + 1;

/** How many pages there are to turn. */
export const pageCount = (total: number | null): number =>
  Math.max(1, Math.min(MOST_PAGES, Math.ceil((total ?? 0) / PAGE)));
const LAST_OFFSET_PAGE = OFFSET_LIMIT / PAGE;
const SETTLE = 60;

const pageAt = (query: RecordQuery, page: number): RecordQuery => ({
  ...query,
  limit: PAGE,
  ...(page === 0 ? { total: 'capped' } : { offset: page * PAGE }),
});

/** The first page; it also brings the total, the plane and its lag. */
export const firstPageQuery = (object: string, query: RecordQuery) => recordPageQuery(object, pageAt(query, 0));

/** How many there are, counted to the end: on demand only. */
export const exactTotalQuery = (object: string, query: RecordQuery) => {
  const { fields: _, traits: __, sort: ___, ...rest } = query;
  return recordPageQuery(object, { ...rest, fields: [], limit: 1, total: 'exact' });
};

/** Ids of the rows that were loaded for a query, in the order of the list. */
export function loadedRecords(client: QueryClient, object: string, query: RecordQuery): RecordData[] {
  const found: RecordData[] = [];
  for (let page = 0; page <= LAST_OFFSET_PAGE; page++) {
    const data = client.getQueryData<RecordPage>(recordPageQuery(object, pageAt(query, page)).queryKey);
    if (data !== undefined) found.push(...data.items);
  }
  return found;
}

interface Reach {
  /** Cursors of the pages that cannot be asked for by offset. */
  cursors: Map<number, string>;
  lastPage: number;
  /** Set once a page without a next one was seen. */
  end: number | null;
}
const freshReach = (): Reach => ({ cursors: new Map(), lastPage: LAST_OFFSET_PAGE, end: null });

export interface Rows {
  count: number;
  rowAt: (row: number) => RecordData | undefined;
  /** Reads what is not loaded, for copying and pasting beyond what is in sight. */
  read: (row: number) => Promise<RecordData | undefined>;
  /** The first answer is still on its way. */
  pending: boolean;
  /** Rows of an earlier question are on screen while the answer to the new one is on its way. */
  stale: boolean;
}

/** How many rows can be scrolled to: all, or as far as the cursors lead. */
export function reachableRows(first: RecordPage | undefined, reach: Pick<Reach, 'lastPage' | 'end'>): number {
  if (first === undefined) return 0;
  if (first.next_cursor === null) return first.items.length;
  if (reach.end !== null) return reach.end;
  const whole = first.total_is_estimate !== true && typeof first.total === 'number' ? first.total : null;
  const reachable = (reach.lastPage + 1) * PAGE;
  return whole === null ? reachable : Math.min(whole, reachable);
}

/** Numbered pages: so many rows from here on. */
export interface Slice {
  from: number;
  size: number;
}

/** Where a grid's rows come from; a source of groups has heads between its records. */
export type RowSource = (
  object: string,
  query: RecordQuery,
  window: { first: number; end: number },
  extra: Extra,
) => Rows & { groupAt?: (row: number) => FigureGroup | undefined };
/** What a source needs besides; each knows its own. */
export interface Extra {
  slice?: Slice | null;
  grouping?: Grouping | null;
}

/** The rows around a window, page by page; pages wait until scrolling settles, and are let go when it moves on. */
export function useRows(
  object: string,
  query: RecordQuery,
  window: { first: number; end: number },
  { slice = null }: Extra = {},
): Rows {
  const client = useQueryClient();
  const from = slice?.from ?? 0;
  const key = JSON.stringify([object, query]);
  const reach = useRef<{ key: string; value: Reach }>({ key, value: freshReach() });
  if (reach.current.key !== key) reach.current = { key, value: freshReach() };
  const { cursors } = reach.current.value;
  const [, grow] = useState(0);

  const first = useQuery({ ...firstPageQuery(object, query), placeholderData: keepPreviousData });
  const seen = slice === null ? window : { first: from, end: from + slice.size };
  const wanted = pagesOf(seen, PAGE).filter((page) => page > 0);
  const wantedKey = `${key}|${wanted.join()}`;
  const settled = useDebounced(wantedKey, SETTLE) === wantedKey;
  const pages = useQueries({
    queries: wanted.map((page) => {
      const cursor = cursors.get(page);
      const asked =
        page <= LAST_OFFSET_PAGE
          ? pageAt(query, page)
          : { ...query, limit: PAGE, ...(cursor !== undefined && { cursor }) };
      const known = page <= LAST_OFFSET_PAGE || cursor !== undefined;
      return { ...recordPageQuery(object, asked), enabled: settled && known && !first.isPlaceholderData };
    }),
  });

  const marks = pages.map((page) => page.data?.next_cursor ?? (page.data && 'end')).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the marks say when a page's cursor came.
  useEffect(() => {
    const { value } = reach.current;
    let grew = false;
    for (const [at, page] of wanted.entries()) {
      const data = pages[at]?.data;
      if (data === undefined || page < LAST_OFFSET_PAGE) continue;
      if (data.next_cursor === null) {
        const end = page * PAGE + data.items.length;
        grew ||= value.end !== end;
        value.end = end;
      } else if (!value.cursors.has(page + 1)) {
        value.cursors.set(page + 1, data.next_cursor);
        value.lastPage = Math.max(value.lastPage, page + 1);
        grew = true;
      }
    }
    if (grew) grow((version) => version + 1);
  }, [marks, wantedKey]);

  const byPage = new Map<number, readonly RecordData[]>([[0, first.data?.items ?? []]]);
  for (const [at, page] of wanted.entries()) {
    const items = pages[at]?.data?.items;
    if (items !== undefined) byPage.set(page, items);
  }
  const all = reachableRows(first.data, reach.current.value);
  const rowAt = (row: number) => byPage.get(Math.floor((from + row) / PAGE))?.[(from + row) % PAGE];
  return {
    count: slice === null ? all : Math.max(0, Math.min(slice.size, all - from)),
    rowAt,
    async read(row) {
      const loaded = rowAt(row);
      const page = Math.floor((from + row) / PAGE);
      if (loaded !== undefined || page > LAST_OFFSET_PAGE) return loaded;
      const data = await client.fetchQuery({ ...recordPageQuery(object, pageAt(query, page)), staleTime: 10_000 });
      return data.items[(from + row) % PAGE];
    },
    pending: first.isPending,
    stale: first.isPlaceholderData,
  };
}
