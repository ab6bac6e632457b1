import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type Condition, type ObjectType, type RecordQuery, type Trait, type View, viewsQuery } from '@/api';
import { labelText, useLanguage } from '@/i18n';
import { storage } from '@/lib/storage';
import { findField, traitAsField, useTraits } from '@/metadata';
import { clampWidth, type GridColumn, makeColumns } from '../grid/columns';
import {
  differs,
  encodeFrom,
  jumpCondition,
  type ListState,
  plainView,
  readState,
  toQuery,
  writeState,
} from '../list-state';
import type { ListSearch } from '../search';

export type SetSearch = (patch: Partial<ListSearch>, replace?: boolean) => void;

export interface List {
  object: ObjectType;
  traits: readonly Trait[];
  views: readonly View[];
  /** The saved view on screen; null where an object has none. */
  view: View | null;
  state: ListState;
  /** What the server is asked, "jump to" included. */
  query: RecordQuery;
  /** The filter alone, for counts, segments and work on everything that matches. */
  where: Condition | null;
  columns: GridColumn[];
  changed: boolean;
  filtered: boolean;
  ready: boolean;
  set: (patch: Partial<Pick<ListState, 'where' | 'sort' | 'columns'>>) => void;
  setSearch: SetSearch;
  setFrom: (value: unknown) => void;
  resize: (key: string, width: number | null) => void;
  choose: (view: View | null) => void;
  reset: () => void;
}

const NO_VIEWS: View[] = [];

/** Everything a list knows: its address over its view, the columns, and the question to the server. */
export function useList(object: ObjectType, search: ListSearch, setSearch: SetSearch): List {
  const language = useLanguage();
  const customers = object.key === 'customer';
  const traits = useTraits(customers);
  const answer = useQuery(viewsQuery(object.key));
  const views = answer.data?.items ?? NO_VIEWS;
  const view = views.find((candidate) => candidate.id === search.view) ?? views[0] ?? null;
  const base = useMemo(() => {
    const plain = plainView(object);
    if (view === null) return plain;
    return {
      columns: view.columns.length > 0 ? view.columns : plain.columns,
      where: view.where,
      sort: view.sort.length > 0 ? view.sort : plain.sort,
    };
  }, [object, view]);
  const state = useMemo(() => readState(search, base), [search, base]);

  const [widths, setWidths] = useState<Record<string, number>>(() => storage.get(`widths.${object.key}`, {}));
  const columns = useMemo(
    () => makeColumns(state.columns, { object, traits, language, widths }),
    [state.columns, object, traits, language, widths],
  );
  const query = useMemo(() => {
    const first = state.sort[0];
    const trait = traits.find((candidate) => candidate.key === first?.trait);
    const field = trait === undefined ? findField(object, first?.field ?? '') : traitAsField(trait);
    return toQuery(state, object, jumpCondition(first, field, state.from));
  }, [state, object, traits]);

  return {
    object,
    traits,
    views,
    view,
    state,
    query,
    where: query.where ?? null,
    columns,
    changed: differs(state, base),
    filtered: state.where !== null || state.q !== '' || state.from !== undefined,
    ready: !answer.isPending,
    set(patch) {
      const next = { ...state, ...patch };
      // Another sort makes the place to start from meaningless.
      setSearch({ ...writeState(next, base), ...(patch.sort !== undefined && { from: undefined }) }, true);
    },
    setSearch,
    setFrom: (value) => setSearch({ from: encodeFrom(value) }, false),
    resize(key, width) {
      setWidths((old) => {
        const { [key]: _, ...rest } = old;
        const next = width === null ? rest : { ...rest, [key]: clampWidth(width) };
        storage.set(`widths.${object.key}`, next);
        return next;
      });
    },
    choose: (next) =>
      setSearch({
        view: next?.id,
        where: undefined,
        sort: undefined,
        cols: undefined,
        from: undefined,
        deleted: undefined,
      }),
    reset: () => setSearch({ where: undefined, sort: undefined, cols: undefined, from: undefined }),
  };
}

/** The name of a sort or column key. */
export function useColumnName(object: ObjectType, traits: readonly Trait[]): (key: string) => string {
  const language = useLanguage();
  return (key) => {
    const trait = traits.find((candidate) => `trait.${candidate.key}` === key);
    if (trait !== undefined) return labelText(trait.label, language, key);
    return labelText(findField(object, key)?.label, language, key);
  };
}
