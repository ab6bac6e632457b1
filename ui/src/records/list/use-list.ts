import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import {
  type Condition,
  type ObjectType,
  type RecordQuery,
  type Trait,
  type View,
  type ViewOptions,
  viewsQuery,
} from '@/api';
import { labelText, useLanguage } from '@/i18n';
import { useDebounced, useEvent } from '@/lib/hooks';
import { storage } from '@/lib/storage';
import { findField, traitAsField, useTraits } from '@/metadata';
import { clampWidth, type GridColumn, makeColumns } from '../grid/columns';
import {
  type Base,
  differs,
  encodeFrom,
  jumpCondition,
  type ListState,
  plainView,
  readState,
  tidy,
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
  set: (patch: Partial<Pick<ListState, 'where' | 'sort' | 'columns' | 'kind' | 'options'>>) => void;
  /** Changes settings; what is undefined is taken away. */
  setOptions: (patch: Partial<ViewOptions>) => void;
  /** Numbered pages instead of scrolling: a habit of the person, the same in every list. */
  paged: boolean;
  setPaged: (paged: boolean) => void;
  setSearch: SetSearch;
  setFrom: (value: unknown) => void;
  resize: (key: string, width: number | null) => void;
  choose: (view: View | null) => void;
  reset: () => void;
}

const NO_VIEWS: View[] = [];

const NEAREST = ['me', 'team', 'department', 'role', 'everyone'] as const;

/** The view of an address; else the default of whoever is nearest, or the first. */
export function openView(views: readonly View[], id: string | undefined): View | null {
  const found = id === undefined ? undefined : views.find((view) => view.id === id);
  return (
    found ??
    NEAREST.map((who) => views.find((view) => view.default === who)).find((view) => view !== undefined) ??
    views[0] ??
    null
  );
}

const WIDTH_REST = 300;

/** Everything a list knows: its address over its view, the columns, and the question to the server. */
export function useList(object: ObjectType, search: ListSearch, setSearch: SetSearch): List {
  const language = useLanguage();
  const customers = object.key === 'customer';
  const traits = useTraits(customers);
  const answer = useQuery(viewsQuery(object.key));
  const views = answer.data?.items ?? NO_VIEWS;
  const view = openView(views, search.view);
  const base = useMemo((): Base => {
    const plain = plainView(object);
    if (view === null) return plain;
    return {
      columns: view.columns.length > 0 ? view.columns : plain.columns,
      where: view.where,
      sort: view.sort.length > 0 ? view.sort : plain.sort,
      kind: view.kind,
      options: view.options,
    };
  }, [object, view]);
  const state = useMemo(() => readState(search, base), [search, base]);

  // While an edge is dragged its width stays here; the address takes it once the hand rests.
  const [dragged, setDragged] = useState<Record<string, number | null>>({});
  const widths = useMemo(() => {
    const merged: Record<string, number> = { ...state.options.widths };
    for (const [key, width] of Object.entries(dragged)) {
      if (width === null) delete merged[key];
      else merged[key] = width;
    }
    return merged;
  }, [state.options.widths, dragged]);
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

  const [paged, setPaged] = useState(() => storage.get('list.paged', false));
  const set: List['set'] = (patch) => {
    const next = { ...state, ...patch };
    // Another sort makes the place to start from meaningless.
    setSearch(
      { ...writeState(next, base), page: undefined, ...(patch.sort !== undefined && { from: undefined }) },
      true,
    );
  };
  const setOptions: List['setOptions'] = (patch) =>
    setSearch(writeState({ ...state, options: tidy({ ...state.options, ...patch }) }, base), true);
  const rested = useDebounced(dragged, WIDTH_REST);
  const keepWidths = useEvent((rest: typeof dragged) => {
    if (rest !== dragged || Object.keys(rest).length === 0) return;
    setOptions({ widths });
    setDragged({});
  });
  useEffect(() => keepWidths(rested), [rested, keepWidths]);

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
    set,
    setOptions,
    paged: paged && state.options.group === undefined,
    setPaged(on) {
      storage.set('list.paged', on);
      setPaged(on);
      setSearch({ page: undefined }, true);
    },
    setSearch,
    setFrom: (value) => setSearch({ from: encodeFrom(value) }, false),
    resize: (key, width) => setDragged((old) => ({ ...old, [key]: width === null ? null : clampWidth(width) })),
    choose: (next) =>
      setSearch({
        view: next?.id,
        where: undefined,
        sort: undefined,
        cols: undefined,
        kind: undefined,
        opts: undefined,
        page: undefined,
        from: undefined,
        deleted: undefined,
      }),
    reset: () =>
      setSearch({
        where: undefined,
        sort: undefined,
        cols: undefined,
        kind: undefined,
        opts: undefined,
        page: undefined,
        from: undefined,
      }),
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
