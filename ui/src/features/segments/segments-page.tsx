import {
  IconAlertTriangle,
  IconArrowsDiff,
  IconCopy,
  IconDots,
  IconFileImport,
  IconPlus,
  IconRefresh,
  IconTrash,
  IconUsers,
} from '@tabler/icons-react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { type Segment, segmentHistoryQuery, segmentsQuery, useRefreshSegment } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { matchScore } from '@/lib/match';
import { useCan } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import {
  Button,
  ButtonLink,
  EmptyState,
  ErrorState,
  IconButton,
  Menu,
  type MenuEntry,
  Page,
  Pill,
  SearchInput,
  Select,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import { Spark } from '@/ui/chart';
import css from './segments.module.css';
import { useDeleteWithWords } from './use-delete';

const WITH_HISTORY = 60;

function useSparks(segments: readonly Segment[]): Map<string, number[]> {
  const answers = useQueries({
    queries: segments
      .slice(0, WITH_HISTORY)
      .map((segment) => ({ ...segmentHistoryQuery(segment.key), staleTime: 60_000 })),
  });
  return new Map(
    segments.slice(0, WITH_HISTORY).map((segment, at) => [
      segment.key,
      (answers[at]?.data?.items ?? [])
        .toSorted((left, right) => left.at.localeCompare(right.at))
        .slice(-30)
        .map((point) => point.size),
    ]),
  );
}

function RowMenu({ segment }: { segment: Segment }) {
  const { t } = useTranslation(['segments', 'common']);
  const navigate = useNavigate();
  const can = useCan();
  const remove = useDeleteWithWords();
  const refresh = useRefreshSegment();
  const entries: MenuEntry[] = [
    {
      label: t('segments:openList'),
      icon: <IconUsers size={15} />,
      onSelect: () => {
        navigate({
          to: '/o/$object',
          params: { object: 'customer' },
          search: { where: encodeCondition({ segment: segment.key, op: 'in' }) },
        });
      },
    },
    {
      label: t('segments:refresh'),
      icon: <IconRefresh size={15} />,
      onSelect: () =>
        refresh.mutate(segment.key, {
          onSuccess: () => toast.ok(t('segments:refreshed')),
          onError: (error) => toast.error(error.message),
        }),
    },
  ];
  if (can('segment.write'))
    entries.push(
      {
        label: t('segments:duplicate'),
        icon: <IconCopy size={15} />,
        onSelect: () => {
          navigate({ to: '/segments/new', search: { from: segment.key } });
        },
      },
      { divider: true },
      {
        label: t('common:delete'),
        icon: <IconTrash size={15} />,
        danger: true,
        onSelect: () => remove(segment),
      },
    );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: keeps the row's own click away
    <span onClick={(event) => event.stopPropagation()}>
      <Menu
        target={
          <IconButton
            label={t('segments:actionsOf', { name: segment.label })}
            tooltip={false}
            icon={<IconDots size={16} />}
          />
        }
        entries={entries}
      />
    </span>
  );
}

function SegmentTable({ segments }: { segments: readonly Segment[] }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const label = useLabel();
  const navigate = useNavigate();
  const sparks = useSparks(segments);
  return (
    <Table
      label={t('segments:title')}
      rows={segments}
      rowKey={(segment) => segment.key}
      onRowClick={(segment) => navigate({ to: '/segments/$key', params: { key: segment.key } })}
      columns={[
        {
          key: 'label',
          label: t('segments:name'),
          cell: (segment) => (
            <div className={css.nameCell}>
              <span className="row">
                <Link
                  to="/segments/$key"
                  params={{ key: segment.key }}
                  className={css.nameLink}
                  onClick={(event) => event.stopPropagation()}
                >
                  {segment.label}
                </Link>
                {segment.folder !== '' && <span className={css.folder}>{segment.folder}</span>}
                {segment.kind === 'static' && <Pill color="gray">{t('segments:kind.static')}</Pill>}
                {segment.broken !== null && (
                  <span className={css.brokenMark} title={segment.broken}>
                    <IconAlertTriangle size={14} aria-hidden />
                    {t('segments:broken')}
                  </span>
                )}
              </span>
              <span className={css.rowSentence}>{label(segment.sentence)}</span>
            </div>
          ),
        },
        {
          key: 'size',
          label: t('segments:size'),
          align: 'right',
          width: 110,
          cell: (segment) => <span className="num">{segment.size === null ? '\u2013' : fmt.number(segment.size)}</span>,
        },
        {
          key: 'change',
          label: t('segments:change'),
          width: 130,
          minor: true,
          cell: (segment) => (
            <Spark values={sparks.get(segment.key) ?? []} label={t('segments:changeOf', { name: segment.label })} />
          ),
        },
        {
          key: 'updated',
          label: t('segments:computed'),
          width: 150,
          minor: true,
          cell: (segment) => <span className="muted">{fmt.relative(segment.size_at ?? segment.updated_at)}</span>,
        },
        {
          key: 'actions',
          label: <span className="sr-only">{t('segments:actions')}</span>,
          width: 44,
          cell: (segment) => <RowMenu segment={segment} />,
        },
      ]}
    />
  );
}

const BinDrawer = lazy(() => import('./bin-drawer').then((module) => ({ default: module.BinDrawer })));
const ListDialog = lazy(() => import('./list-dialog').then((module) => ({ default: module.ListDialog })));
const ALL = '*';

/** The folders of segments with how many are in each, those above them too. */
export function foldersOf(segments: readonly Segment[]): { path: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { folder } of segments) {
    if (folder === '') continue;
    const parts = folder.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
  }
  return [...counts]
    .map(([path, count]) => ({ path, count }))
    .sort((left, right) => left.path.localeCompare(right.path));
}
const inFolder = (segment: Segment, folder: string): boolean =>
  folder === ALL || segment.folder === folder || segment.folder.startsWith(`${folder}/`);

function Actions({ segments }: { segments: readonly Segment[] }) {
  const { t } = useTranslation('segments');
  const can = useCan();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'bin' | 'list' | null>(null);
  const close = () => setOpen(null);
  const entries: MenuEntry[] = [];
  if (segments.length > 1)
    entries.push({
      label: t('segments:compare.title'),
      icon: <IconArrowsDiff size={15} />,
      onSelect: () => {
        navigate({ to: '/segments/compare', search: {} });
      },
    });
  if (can('segment.write'))
    entries.push(
      { label: t('segments:list.title'), icon: <IconFileImport size={15} />, onSelect: () => setOpen('list') },
      { label: t('segments:bin.title'), icon: <IconTrash size={15} />, onSelect: () => setOpen('bin') },
    );
  return (
    <>
      {entries.length > 0 && (
        <Menu
          target={<IconButton label={t('segments:actions')} icon={<IconDots size={17} />} tooltip={false} />}
          entries={entries}
        />
      )}
      {can('segment.write') && (
        <ButtonLink to="/segments/new" kind="primary" icon={<IconPlus size={15} />}>
          {t('segments:new')}
        </ButtonLink>
      )}
      <Suspense>
        {open === 'bin' && <BinDrawer onClose={close} />}
        {open === 'list' && <ListDialog onClose={close} />}
      </Suspense>
    </>
  );
}

export function SegmentsPage() {
  const { t } = useTranslation(['segments', 'common']);
  const label = useLabel();
  const [search, setSearch] = useState('');
  const [folder, setFolder] = useState(ALL);
  const { data, error, isPending, refetch } = useQuery(segmentsQuery());
  const folders = useMemo(() => foldersOf(data?.items ?? []), [data]);
  const found = useMemo(
    () =>
      (data?.items ?? []).filter(
        (segment) =>
          inFolder(segment, folder) &&
          matchScore(search, {
            label: segment.label,
            keywords: `${segment.key} ${segment.folder} ${segment.description} ${label(segment.sentence)}`,
          }) > 0,
      ),
    [data, search, folder, label],
  );
  const actions = <Actions segments={data?.items ?? []} />;
  const empty = data !== undefined && data.items.length === 0;
  const clear = () => {
    setSearch('');
    setFolder(ALL);
  };
  return (
    <Page title={t('segments:title')} actions={actions}>
      {isPending && <SkeletonRows rows={8} height={52} />}
      {error !== null && data === undefined && <ErrorState error={error} onRetry={() => refetch()} />}
      {empty && <EmptyState cause="none" title={t('segments:none.title')} text={t('segments:none.text')} />}
      {data !== undefined && !empty && (
        <div className="stack">
          <div className={css.toolbar}>
            <SearchInput
              aria-label={t('segments:search')}
              placeholder={t('segments:search')}
              value={search}
              onChange={setSearch}
            />
            {folders.length > 0 && (
              <Select
                aria-label={t('segments:folder')}
                options={[
                  { value: ALL, label: t('segments:allFolders') },
                  ...folders.map(({ path, count }) => ({ value: path, label: `${path} (${count})` })),
                ]}
                value={folder}
                onChange={(next) => setFolder(next ?? ALL)}
              />
            )}
            <span className="muted">{t('segments:count', { count: found.length })}</span>
          </div>
          {found.length === 0 ? (
            <EmptyState cause="no_match" actions={<Button onClick={clear}>{t('segments:clearSearch')}</Button>} />
          ) : (
            <div className={css.listPanel}>
              <SegmentTable segments={found} />
            </div>
          )}
        </div>
      )}
    </Page>
  );
}
