import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import {
  type Condition,
  type Field,
  figureScope,
  figuresQuery,
  type RecordData,
  type RecordQuery,
  recordPageQuery,
} from '@/api';
import type { Day } from '@/lib/day';
import { cellValue } from '../cell-value';
import type { List } from '../list/use-list';
import { joinConditions } from '../list-state';
import { dayOfValue } from './days';

/** Up to here one question brings everything that is shown. */
const AT_ONCE = 300;

export interface Days {
  counts: ReadonlyMap<Day, number>;
  records: ReadonlyMap<Day, readonly RecordData[]>;
  /** The question for some days, in their order. */
  queryFor: (from: Day, to: Day) => RecordQuery;
  isPending: boolean;
  error: unknown;
  refetch: () => void;
}

/** What stands on the days of a calendar: counted by the server, and of each day as much as its box holds. */
export function useDays(list: List, field: Field | null, days: readonly Day[], perDay: number, timeZone: string): Days {
  const { object, state } = list;
  const first = days[0] ?? '';
  const last = days.at(-1) ?? '';
  const key = field?.key ?? '';
  const within = (from: Day, to: Day): Condition => ({ field: key, op: 'between', value: [from, to] });
  const where = (from: Day, to: Day) => joinConditions(state.where, within(from, to)) as Condition;
  const queryFor = (from: Day, to: Day): RecordQuery => {
    const { limit: _, total: __, ...question } = list.query;
    const fields = [...new Set([...(question.fields ?? []), key])];
    return { ...question, fields, where: where(from, to), sort: [{ field: key }] };
  };
  const figures = useQuery({
    ...figuresQuery(object.key, {
      ...figureScope(where(first, last), state.q),
      group_by: [{ field: key, by: 'day' }],
      limit: 100,
    }),
    enabled: field !== null && list.ready,
  });
  const counts = new Map<Day, number>();
  for (const group of figures.data?.groups ?? []) counts.set(String(group.values[0]), group.count);
  const total = figures.data?.total.count ?? 0;
  const few = total <= AT_ONCE;
  const known = figures.isSuccess && !figures.isPlaceholderData;
  const all = useQuery({
    ...recordPageQuery(object.key, { ...queryFor(first, last), limit: AT_ONCE }),
    enabled: known && few && total > 0,
    placeholderData: keepPreviousData,
  });
  const busy = known && !few ? days.filter((day) => (counts.get(day) ?? 0) > 0) : [];
  const each = useQueries({
    queries: busy.map((day) => recordPageQuery(object.key, { ...queryFor(day, day), limit: perDay })),
  });
  const records = new Map<Day, RecordData[]>();
  const put = (record: RecordData) => {
    if (field === null) return;
    const day = dayOfValue(cellValue(record, field.key), field, timeZone);
    records.set(day, [...(records.get(day) ?? []), record]);
  };
  if (few && total > 0) all.data?.items.forEach(put);
  for (const answer of each) answer.data?.items.forEach(put);
  return {
    counts,
    records,
    queryFor,
    isPending: figures.isPending || (few && total > 0 && all.isPending),
    error: figures.data === undefined ? figures.error : null,
    refetch: () => void figures.refetch(),
  };
}
