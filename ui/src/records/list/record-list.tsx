import { IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { type Field, type ObjectType, type RecordData, recordKeys } from '@/api';
import { kindOf, useFieldContext } from '@/fields';
import { labelText, loadWords, useLabel, useLanguage, useTranslation } from '@/i18n';
import { PHONE } from '@/lib/hooks';
import { Button, ButtonLink, EmptyState, ErrorState } from '@/ui';
import { useSaveFields } from '../edit/use-save-fields';
import type { GridColumn } from '../grid/columns';
import { isNothing, NOTHING, type Selection } from '../grid/selection';
import type { PastedCells } from '../grid/use-clipboard';
import { firstPageQuery, pageCount } from '../grid/use-rows';
import { jumpOperator } from '../list-state';
import type { ListSearch } from '../search';
import { hasAvatar } from '../title';
import { FilterBar } from './filter-bar';
import { sortField } from './jump';
import css from './list.module.css';
import { ListFooter, useTotal } from './list-footer';
import { nextSort } from './sort-menu';
import { type SetSearch, useList } from './use-list';
import { ViewTabs } from './view-tabs';

/** Boards, calendars and pasting have words of their own. */
const withLayouts = <T,>(module: Promise<T>): Promise<T> =>
  Promise.all([module, loadWords('layouts')]).then(([got]) => got);
const Board = lazy(() => withLayouts(import('../board/board')).then((module) => ({ default: module.Board })));
// A phone has cards: only where there is room is the grid fetched, together with this page and not after it.
const loadGrid = () => import('../grid/grid');
if (typeof matchMedia === 'function' && !matchMedia(PHONE).matches) void loadGrid();
const Grid = lazy(() => loadGrid().then((module) => ({ default: module.Grid })));
const RichGrid = lazy(() => import('./rich-grid').then((module) => ({ default: module.RichGrid })));
const Calendar = lazy(() =>
  withLayouts(import('../calendar/calendar')).then((module) => ({ default: module.Calendar })),
);
const Gallery = lazy(() => import('../gallery/gallery').then((module) => ({ default: module.Gallery })));
const BulkBar = lazy(async () => {
  const [module] = await Promise.all([import('./bulk-bar'), loadWords('jobs')]);
  return { default: module.BulkBar };
});
const ListExport = lazy(async () => {
  const [module] = await Promise.all([import('../mass/list-export'), loadWords('jobs')]);
  return { default: module.ListExport };
});
const Cards = lazy(() => import('./cards').then((module) => ({ default: module.Cards })));

const PasteDialog = lazy(() =>
  withLayouts(import('../paste/paste-dialog')).then((module) => ({ default: module.PasteDialog })),
);

interface Props {
  object: ObjectType;
  search: ListSearch;
  setSearch: SetSearch;
  phone: boolean;
  peeked: string | undefined;
  /** The dialog that exports everything the list shows is open. */
  exporting: boolean;
  onExported: () => void;
  hrefOf: (record: RecordData) => string;
  onOpen: (
    record: RecordData,
    how: 'page' | 'peek' | 'tab',
    at: { row: number; query: ReturnType<typeof useList>['query'] },
  ) => void;
}

/** Numbers and days are first wanted from the top, names from A. */
const DESC_FIRST = new Set<Field['type']>(['number', 'money', 'date', 'datetime', 'bool']);

export function RecordList({ object, search, setSearch, phone, peeked, exporting, onExported, hrefOf, onOpen }: Props) {
  const { t } = useTranslation(['records', 'views', 'common']);
  const label = useLabel();
  const language = useLanguage();
  const context = useFieldContext();
  const client = useQueryClient();
  const list = useList(object, search, setSearch);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [pasted, setPasted] = useState<PastedCells | null>(null);
  const [selecting, setSelecting] = useState(false);
  const [exactFor, setExactFor] = useState('');
  const questionKey = JSON.stringify([object.key, list.query.where, list.query.search, list.query.deleted]);
  const total = useTotal(list, exactFor === questionKey);
  const first = useQuery({ ...firstPageQuery(object.key, list.query), enabled: list.ready });
  const { save, dialog } = useSaveFields(
    object,
    (field) => labelText(field.label, language, field.key),
    // A changed value may belong to another group.
    () =>
      list.state.options.group &&
      void client.invalidateQueries({ queryKey: [...recordKeys.object(object.key), 'list'] }),
  );

  // A selection belongs to what was asked when it was made.
  const asked = useRef(questionKey);
  useEffect(() => {
    if (asked.current === questionKey) return;
    asked.current = questionKey;
    setSelection(NOTHING);
    setSelecting(false);
  }, [questionKey]);
  // Leaving the page gives up what is still on its way.
  useEffect(
    () => () => {
      client.cancelQueries({ queryKey: ['records', object.key, 'list'] });
    },
    [client, object.key],
  );

  const field = sortField(list);
  const op = field === null ? null : jumpOperator(field, list.state.sort[0]?.desc === true);
  const fromText =
    list.state.from === undefined || field === null || op === null
      ? null
      : t('records:jump.chip', {
          name: labelText(field.label, language, field.key),
          value: kindOf(field.type).text(list.state.from, field, context) || String(list.state.from),
        });

  const clearFilters = () =>
    setSearch({ where: list.state.where === null ? search.where : 'none', q: undefined, from: undefined });
  const name = label(object.plural, object.key);
  const empty = () => {
    if (list.state.deleted)
      return <EmptyState cause="none" title={t('records:bin.empty')} text={t('records:bin.emptyText')} />;
    if (list.filtered)
      return (
        <EmptyState cause="no_match" actions={<Button onClick={clearFilters}>{t('records:filter.clear')}</Button>} />
      );
    return (
      <EmptyState
        cause="none"
        title={t('records:empty.title', { name })}
        text={t('records:empty.text')}
        actions={
          <>
            {object.actions.create && (
              <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setSearch({ new: true })}>
                {t('records:list.new')}
              </Button>
            )}
            {object.actions.import && (
              <ButtonLink to="/imports/new" search={{ object: object.key }}>
                {t('records:empty.import')}
              </ButtonLink>
            )}
          </>
        }
      />
    );
  };
  const sortBy = (column: GridColumn, add: boolean) =>
    list.set({ sort: nextSort(list.state.sort, column.key, add, DESC_FIRST.has(column.field.type)) });
  const keys = list.columns.map((column) => column.key);
  const move = (key: string, to: number) => {
    const rest = keys.filter((other) => other !== key);
    rest.splice(Math.max(1, to), 0, key);
    list.set({ columns: rest });
  };

  const kind = list.state.deleted ? 'list' : list.state.kind;
  const page = list.paged && !phone && kind === 'list' ? Math.min(search.page ?? 1, pageCount(total.count)) : null;
  const body = () => {
    const open = (record: RecordData) => onOpen(record, phone ? 'page' : 'peek', { row: 0, query: list.query });
    const shown = { list, label: name, hrefOf, onOpen: open };
    if (kind !== 'list')
      return (
        <Suspense fallback={<div className={css.center} aria-busy="true" />}>
          {kind === 'board' && <Board {...shown} />}
          {kind === 'cards' && <Gallery {...shown} empty={empty()} />}
          {kind === 'calendar' && (
            <Calendar {...shown} phone={phone} day={search.day} onDay={(day) => setSearch({ day }, true)} />
          )}
        </Suspense>
      );
    if (phone)
      return (
        <Suspense>
          <Cards
            list={list}
            selection={selection}
            selecting={selecting}
            onSelecting={setSelecting}
            onSelect={setSelection}
            avatar={hasAvatar(object)}
            hrefOf={hrefOf}
            onOpen={(record, row) => onOpen(record, 'page', { row, query: list.query })}
            empty={empty()}
          />
        </Suspense>
      );
    if (first.isError)
      return (
        <div className={css.center}>
          <ErrorState error={first.error} onRetry={() => first.refetch()} />
        </div>
      );
    if (first.data !== undefined && first.data.items.length === 0) return <div className={css.center}>{empty()}</div>;
    const shared = {
      label: name,
      object: object.key,
      query: list.query,
      columns: list.columns,
      sort: list.state.sort,
      frozen: list.state.options.frozen,
      selection,
      exactTotal: total.exact ? total.count : null,
      avatar: hasAvatar(object),
      peeked,
      hrefOf,
      onSelect: setSelection,
      onSort: sortBy,
      onResize: list.resize,
      onMove: move,
      onOpen: (record: RecordData, how: 'page' | 'peek' | 'tab', row: number) =>
        onOpen(record, how, { row, query: list.query }),
      onEdit: (record: RecordData, column: GridColumn, value: unknown) => void save(record, { [column.key]: value }),
      onPaste: setPasted,
      onActive: (record: RecordData) => {
        if (peeked !== undefined) onOpen(record, 'peek', { row: 0, query: list.query });
      },
    };
    const { group, totals } = list.state.options;
    const rich = !list.state.deleted && (group !== undefined || totals !== undefined || page !== null);
    return (
      <Suspense fallback={<div className={css.center} aria-busy="true" />}>
        {rich ? <RichGrid list={list} page={page} {...shared} /> : <Grid {...shared} />}
      </Suspense>
    );
  };

  return (
    <div className={css.list} data-selecting={selecting || !isNothing(selection) || undefined}>
      {list.state.deleted ? (
        <div className={css.binBar} role="status">
          {t('records:bin.here')}
          <Button kind="subtle" onClick={() => setSearch({ deleted: undefined })}>
            {t('records:bin.leave', { name })}
          </Button>
        </div>
      ) : (
        <ViewTabs list={list} allLabel={t('views:view.all', { name })} />
      )}
      <FilterBar
        list={list}
        phone={phone}
        fromText={fromText}
        selecting={selecting}
        onSelecting={(on) => {
          setSelecting(on);
          setSelection(NOTHING);
        }}
      />
      {list.ready ? body() : <div className={css.center} aria-busy="true" />}
      {!phone && kind === 'list' && (
        <ListFooter
          list={list}
          total={total}
          phone={phone}
          page={page}
          onPage={(next) => setSearch({ page: next === 1 ? undefined : next })}
          onExact={() => setExactFor(questionKey)}
        />
      )}
      {!isNothing(selection) && (
        <Suspense>
          <BulkBar
            list={list}
            selection={selection}
            total={total}
            onSelect={(next) => {
              setSelection(next);
              if (isNothing(next)) setSelecting(false);
            }}
          />
        </Suspense>
      )}
      <Suspense>
        {pasted !== null && <PasteDialog list={list} cells={pasted} onClose={() => setPasted(null)} />}
      </Suspense>
      {exporting && (
        <Suspense>
          <ListExport list={list} total={total} onClose={onExported} />
        </Suspense>
      )}
      {dialog}
    </div>
  );
}
