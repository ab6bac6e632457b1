import { IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { type ImportRun, type ImportsFilter, importsQuery, isImportBusy } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import {
  Button,
  ButtonLink,
  EmptyState,
  ErrorState,
  ObjectIcon,
  Page,
  Progress,
  SearchInput,
  Select,
  SkeletonRows,
  Switch,
  Table,
} from '@/ui';
import own from './history.module.css';
import css from './imports.module.css';
import { ImportStatusDot } from './status';

function Outcome({ run }: { run: ImportRun }) {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  if (isImportBusy(run)) {
    const share =
      run.progress === null || run.progress.total_bytes === 0 ? null : run.progress.bytes / run.progress.total_bytes;
    return (
      <div style={{ width: 120 }}>
        <Progress value={share} label={t('imports:progressOf', { name: run.file_name })} />
      </div>
    );
  }
  if (run.result === null || run.result.rows === 0 || run.status === 'undone')
    return <span className="muted">{'\u2013'}</span>;
  return (
    <span>
      {t('imports:rows', { count: run.result.rows, shown: fmt.number(run.result.rows) })}
      {run.result.errors > 0 && (
        <span className={css.bad}>
          {' '}
          {t('imports:errorsShort', { count: run.result.errors, shown: fmt.number(run.result.errors) })}
        </span>
      )}
    </span>
  );
}

const EventImports = lazy(() => import('./event-imports').then((module) => ({ default: module.EventImports })));

const STATES = ['running', 'done', 'failed', 'cancelled', 'uploaded', 'undone'] as const;
/** What a state of the filter means to the server. */
const MEANS: Record<string, string> = { running: 'running,checking,undoing', uploaded: 'uploaded,checked' };

/** Which imports are listed; kept in the address. */
function useFilter(): { filter: ImportsFilter; state: string | null; set: (part: Partial<ImportsFilter>) => void } {
  const navigate = useNavigate();
  const given = useSearch({ strict: false }) as ImportsFilter;
  const filter: ImportsFilter = {};
  for (const key of ['object', 'status', 'by', 'q'] as const)
    if (typeof given[key] === 'string' && given[key] !== '') filter[key] = given[key];
  const state = filter.status ?? null;
  if (state !== null) filter.status = MEANS[state] ?? state;
  return {
    filter,
    state,
    set: (part) =>
      navigate({
        to: '/imports',
        replace: true,
        search: Object.fromEntries(
          Object.entries({ ...given, ...part }).filter(([, value]) => value !== undefined && value !== ''),
        ),
      }),
  };
}

function Filters({ filter, state, set }: ReturnType<typeof useFilter>) {
  const { t } = useTranslation(['imports', 'importing']);
  const label = useLabel();
  const objects = useObjects().filter((object) => object.actions.import && !object.hidden);
  return (
    <search className={own.filters} aria-label={t('importing:filters')}>
      <SearchInput
        aria-label={t('importing:searchFile')}
        placeholder={t('importing:searchFile')}
        value={filter.q ?? ''}
        onChange={(q) => set({ q: q === '' ? undefined : q } as Partial<ImportsFilter>)}
      />
      <Select
        aria-label={t('imports:object')}
        clearable
        searchable
        placeholder={t('importing:allObjects')}
        options={objects.map((object) => ({ value: object.key, label: label(object.plural, object.key) }))}
        value={filter.object ?? null}
        onChange={(object) => set({ object: object ?? undefined } as Partial<ImportsFilter>)}
      />
      <Select
        aria-label={t('imports:statusLabel')}
        clearable
        placeholder={t('importing:allStates')}
        options={STATES.map((value) => ({ value, label: t(`imports:status.${value}`) }))}
        value={state}
        onChange={(status) => set({ status: status ?? undefined } as Partial<ImportsFilter>)}
      />
      <Switch
        label={t('importing:mine')}
        checked={filter.by === 'me'}
        onChange={(mine) => set({ by: mine ? 'me' : undefined } as Partial<ImportsFilter>)}
      />
    </search>
  );
}

export function ImportsPage() {
  const { t } = useTranslation(['imports', 'importing']);
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const navigate = useNavigate();
  const can = useCan();
  const allowed = can('import.run');
  const filters = useFilter();
  const { data, error, isPending, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    ...importsQuery(filters.filter),
    enabled: allowed,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.items.some(isImportBusy)) ? 1500 : false),
  });
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  const narrowed = Object.keys(filters.filter).length > 0;
  const create = allowed && (
    <ButtonLink to="/imports/new" kind="primary" icon={<IconPlus size={15} />}>
      {t('imports:new')}
    </ButtonLink>
  );
  if (!allowed)
    return (
      <Page title={t('imports:title')}>
        <EmptyState cause="no_permission" />
      </Page>
    );
  return (
    <Page title={t('imports:title')} actions={create}>
      {isPending && <SkeletonRows rows={6} height={44} />}
      {error !== null && data === undefined && <ErrorState error={error} onRetry={() => refetch()} />}
      {data !== undefined && items.length === 0 && !narrowed && (
        <EmptyState cause="none" title={t('imports:none.title')} text={t('imports:none.text')} actions={create} />
      )}
      {data !== undefined && (items.length > 0 || narrowed) && <Filters {...filters} />}
      {data !== undefined && items.length === 0 && narrowed && (
        <EmptyState cause="no_match" title={t('importing:noneFound')} />
      )}
      {items.length > 0 && (
        <div className={css.listPanel}>
          <Table
            label={t('imports:title')}
            rows={items}
            rowKey={(run) => run.id}
            onRowClick={(run) => navigate({ to: '/imports/$id', params: { id: run.id } })}
            columns={[
              {
                key: 'file',
                label: t('imports:file'),
                cell: (run) => (
                  <div className={css.fileCell}>
                    <Link
                      to="/imports/$id"
                      params={{ id: run.id }}
                      className={css.fileLink}
                      onClick={(event) => event.stopPropagation()}
                    >
                      {run.file_name}
                    </Link>
                    <span className="muted">{fmt.bytes(run.size)}</span>
                  </div>
                ),
              },
              {
                key: 'object',
                label: t('imports:object'),
                minor: true,
                cell: (run) => {
                  const object = findObject(objects, run.object);
                  return (
                    <span className="row">
                      <ObjectIcon name={object?.icon ?? ''} size={15} />
                      {label(object?.plural, run.object)}
                    </span>
                  );
                },
              },
              { key: 'status', label: t('imports:statusLabel'), cell: (run) => <ImportStatusDot run={run} /> },
              { key: 'outcome', label: t('imports:outcome'), cell: (run) => <Outcome run={run} /> },
              {
                key: 'by',
                label: t('imports:by'),
                minor: true,
                cell: (run) => <span className="muted">{run.created_by?.title ?? '\u2013'}</span>,
              },
              {
                key: 'at',
                label: t('imports:at'),
                minor: true,
                cell: (run) => <span className="muted">{fmt.relative(run.created_at)}</span>,
              },
            ]}
          />
        </div>
      )}
      {can('source.manage') && !narrowed && (
        <Suspense>
          <EventImports />
        </Suspense>
      )}
      {hasNextPage && (
        <div className={own.more}>
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('importing:older')}
          </Button>
        </div>
      )}
    </Page>
  );
}
