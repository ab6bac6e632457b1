import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type Condition, type FigureGroup, type RecordData, type RecordQuery, recordPageQuery } from '@/api';
import { useDebounced } from '@/lib/hooks';
import { joinConditions } from '../list-state';
import { groupPages, layGroups, placeOf } from './grouping';
import { type Extra, PAGE, type RowSource } from './use-rows';

const SETTLE = 60;
const NONE: readonly FigureGroup[] = [];

/** The rows around a window of a grouped list: each open group is a list of its own, read page by page. */
export function useGroupedRows(
  object: string,
  query: RecordQuery,
  window: { first: number; end: number },
  { grouping = null }: Extra,
): ReturnType<RowSource> {
  const client = useQueryClient();
  const groups = grouping?.groups ?? NONE;
  const isOpen = grouping?.isOpen;
  const layout = useMemo(() => layGroups(groups, isOpen ?? (() => false)), [groups, isOpen]);
  const wanted = groupPages(layout, window, PAGE);
  const key = wanted.map(({ group, page }) => `${group}:${page}`).join();
  const settled = useDebounced(key, SETTLE) === key;
  const pageQuery = (group: number, page: number) => {
    const where = joinConditions(query.where ?? null, groups[group]?.where as Condition) as Condition;
    return recordPageQuery(object, { ...query, where, limit: PAGE, ...(page > 0 && { offset: page * PAGE }) });
  };
  const pages = useQueries({
    queries: wanted.map(({ group, page }) => ({ ...pageQuery(group, page), enabled: settled || page === 0 })),
  });
  const byPage = new Map<string, readonly RecordData[]>();
  for (const [at, { group, page }] of wanted.entries()) {
    const items = pages[at]?.data?.items;
    if (items !== undefined) byPage.set(`${group}:${page}`, items);
  }
  const rowAt = (row: number) => {
    const place = placeOf(layout, row);
    if (place === null || place.record < 0) return undefined;
    return byPage.get(`${place.group}:${Math.floor(place.record / PAGE)}`)?.[place.record % PAGE];
  };
  return {
    pending: false,
    stale: false,
    count: layout.count,
    rowAt,
    async read(row) {
      const loaded = rowAt(row);
      const place = placeOf(layout, row);
      if (loaded !== undefined || place === null || place.record < 0) return loaded;
      const page = pageQuery(place.group, Math.floor(place.record / PAGE));
      const data = await client.fetchQuery({ ...page, staleTime: 10_000 });
      return data.items[place.record % PAGE];
    },
    groupAt(row) {
      const place = placeOf(layout, row);
      return place !== null && place.record < 0 ? layout.groups[place.group] : undefined;
    },
  };
}
