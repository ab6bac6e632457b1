import type { Condition, Field, ObjectType, Operator, RecordQuery, Sort, View, ViewKind, ViewOptions } from '@/api';
import { operatorsOf } from '@/fields';
import { decodeBase64Url, encodeBase64Url } from '@/lib/base64url';
import { decodeCondition, encodeCondition } from './conditions/url';
import type { ListSearch } from './search';

/** What a list shows: its address laid over its view. */
export interface ListState {
  where: Condition | null;
  sort: Sort[];
  columns: string[];
  kind: ViewKind;
  options: ViewOptions;
  q: string;
  from: unknown;
  deleted: boolean;
}

const TRAIT = 'trait.';

export function formatSort(sort: readonly Sort[]): string {
  return sort.map((key) => (key.desc ? '-' : '') + sortKey(key)).join(',');
}
export function parseSort(text: string | undefined): Sort[] | null {
  if (!text) return null;
  const sort = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '-')
    .map((part): Sort => {
      const desc = part.startsWith('-');
      const key = desc ? part.slice(1) : part;
      return key.startsWith(TRAIT) ? { trait: key.slice(TRAIT.length), desc } : { field: key, desc };
    });
  return sort.length === 0 ? null : sort;
}
/** The column that a sort belongs to. */
export const sortKey = (sort: Sort): string =>
  sort.trait === undefined ? (sort.field ?? '') : `${TRAIT}${sort.trait}`;
export const sortOf = (column: string, desc: boolean): Sort =>
  column.startsWith(TRAIT) ? { trait: column.slice(TRAIT.length), desc } : { field: column, desc };

/** "none" stands for a condition that was taken away from a view that has one. */
const NONE = 'none';

export function decodeFrom(text: string | undefined): unknown {
  const json = text === undefined ? null : decodeBase64Url(text);
  if (json === null) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
export const encodeFrom = (value: unknown): string | undefined =>
  value === undefined || value === null || value === '' ? undefined : encodeBase64Url(JSON.stringify(value));

/** The view that everybody has, for objects without a saved one. */
export const plainView = (object: ObjectType): Base => ({
  columns: object.default_columns,
  where: null,
  sort: object.default_sort,
  kind: 'list',
  options: {},
});

export type Base = Pick<View, 'columns' | 'where' | 'sort' | 'kind' | 'options'>;

/** Settings without what is empty, so that equal ones look equal. */
export function tidy(options: ViewOptions): ViewOptions {
  const kept = Object.entries(options)
    .filter(([, value]) => {
      if (value === undefined || value === null || value === '') return false;
      if (Array.isArray(value)) return value.length > 0;
      return typeof value !== 'object' || Object.keys(value).length > 0;
    })
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(kept) as ViewOptions;
}

function decodeOptions(text: string | undefined): ViewOptions | null {
  const value = decodeFrom(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? tidy(value as ViewOptions) : null;
}

export function readState(search: ListSearch, base: Base): ListState {
  const columns = search.cols?.split(',').filter(Boolean) ?? [];
  return {
    where: search.where === NONE ? null : (decodeCondition(search.where) ?? base.where),
    sort: parseSort(search.sort) ?? base.sort,
    columns: columns.length > 0 ? columns : base.columns,
    kind: search.kind ?? base.kind,
    options: decodeOptions(search.opts) ?? tidy(base.options),
    q: search.q ?? '',
    from: decodeFrom(search.from),
    deleted: search.deleted === true,
  };
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);
const sameSort = (left: readonly Sort[], right: readonly Sort[]): boolean => formatSort(left) === formatSort(right);

const sorted = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};
const sameOptions = (left: ViewOptions, right: ViewOptions): boolean => same(sorted(tidy(left)), sorted(tidy(right)));

/** The parts of an address for a state: only what differs from the view, so that a view alone is a short address. */
export function writeState(
  state: Pick<ListState, 'where' | 'sort' | 'columns' | 'kind' | 'options'>,
  base: Base,
): Pick<ListSearch, 'where' | 'sort' | 'cols' | 'kind' | 'opts'> {
  const where = state.where === null ? NONE : encodeCondition(state.where);
  return {
    where: same(state.where, base.where) ? undefined : where,
    sort: sameSort(state.sort, base.sort) ? undefined : formatSort(state.sort),
    cols: same(state.columns, base.columns) ? undefined : state.columns.join(','),
    kind: state.kind === base.kind ? undefined : state.kind,
    opts: sameOptions(state.options, base.options) ? undefined : encodeBase64Url(JSON.stringify(tidy(state.options))),
  };
}

/** Whether somebody changed what the view says. */
export const differs = (state: ListState, base: Base): boolean =>
  !same(state.where, base.where) ||
  !sameSort(state.sort, base.sort) ||
  !same(state.columns, base.columns) ||
  state.kind !== base.kind ||
  !sameOptions(state.options, base.options);

/** The operator of "start at this value", in the direction of the sort. Null when the field cannot be asked that. */
export function jumpOperator(field: Field, desc: boolean): Operator | null {
  const wanted: Operator[] = desc ? ['<=', 'before', 'starts_with'] : ['>=', 'after', 'starts_with'];
  return wanted.find((op) => operatorsOf(field).includes(op)) ?? null;
}

/** The condition of "jump to": the first sort field from a value on. */
export function jumpCondition(sort: Sort | undefined, field: Field | undefined, from: unknown): Condition | null {
  if (sort === undefined || field === undefined || from === undefined) return null;
  const op = jumpOperator(field, sort.desc === true);
  if (op === null) return null;
  const value = from as never;
  return sort.trait === undefined ? { field: sort.field ?? '', op, value } : { trait: sort.trait, op, value };
}

export function joinConditions(...parts: (Condition | null)[]): Condition | null {
  const given = parts.filter((part): part is Condition => part !== null);
  if (given.length > 1) return { all: given };
  return given[0] ?? null;
}

const SYSTEM = new Set(['id', 'created_at', 'updated_at', 'created_by']);

/** The question to the server, without page. Only the fields that are shown are asked for. */
export function toQuery(state: ListState, object: ObjectType, jump: Condition | null = null): RecordQuery {
  const fields = new Set<string>([object.title_field]);
  const traits = new Set<string>();
  for (const column of state.columns) {
    if (column.startsWith(TRAIT)) traits.add(column.slice(TRAIT.length));
    else if (!SYSTEM.has(column)) fields.add(column);
  }
  const where = joinConditions(state.where, jump);
  return {
    ...(where !== null && { where }),
    ...(state.q !== '' && { search: state.q }),
    ...(state.sort.length > 0 && { sort: state.sort }),
    fields: [...fields],
    ...(traits.size > 0 && { traits: [...traits] }),
    ...(state.deleted && { deleted: true }),
  };
}
