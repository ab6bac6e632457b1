import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { isJobBusy, type Job, type JobKind, jobsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import {
  Button,
  Dot,
  EmptyState,
  ErrorState,
  ObjectIcon,
  Page,
  Progress,
  SegmentedControl,
  Select,
  SkeletonRows,
  Table,
} from '@/ui';
import { JobDrawer } from './job-drawer';
import css from './jobs.module.css';
import { useJobTitle } from './title';

const KINDS: JobKind[] = ['edit', 'assign', 'delete', 'restore', 'export'];
const HUES: Record<Job['status'], string> = {
  collecting: 'blue',
  running: 'blue',
  undoing: 'blue',
  done: 'green',
  undone: 'gray',
  cancelled: 'gray',
  failed: 'red',
};

function Outcome({ job }: { job: Job }) {
  const { t } = useTranslation('jobs');
  const fmt = useFormat();
  const title = useJobTitle();
  if (isJobBusy(job)) {
    const { done, total } = job.progress;
    return (
      <div className={css.progress}>
        <Progress value={total === 0 ? null : done / total} label={title(job)} />
      </div>
    );
  }
  const { changed, failed, skipped, restored = 0, partly = 0, kept = 0 } = job.result;
  const left = job.status === 'undone' ? partly + kept : failed + skipped;
  const done = job.status === 'undone' ? restored + partly : changed;
  return (
    <span>
      {t('jobs:records', { count: done, text: fmt.number(done) })}
      {left > 0 && <span className={css.bad}> {t('jobs:leftOut', { count: left, text: fmt.number(left) })}</span>}
    </span>
  );
}

/** All bulk work: what was done, by whom, how it ended, and what can still be taken back or downloaded. */
export function JobsPage() {
  const { t } = useTranslation('jobs');
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const can = useCan();
  const navigate = useNavigate();
  const title = useJobTitle();
  const search = useSearch({ strict: false }) as { job?: string; kind?: JobKind; all?: boolean };
  const everybody = can('audit.read') && search.all === true;
  const patch = (part: Partial<typeof search>) =>
    navigate({ to: '/jobs', search: { ...search, ...part } as never, replace: true });
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    ...jobsQuery(search.kind ?? null, everybody),
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some(isJobBusy)) === true ? 1500 : false,
  });
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title={t('jobs:title')}>
      <div className={css.filters}>
        <Select
          aria-label={t('jobs:kindLabel')}
          placeholder={t('jobs:anyKind')}
          clearable
          options={KINDS.map((kind) => ({ value: kind, label: t(`jobs:kind.${kind}`) }))}
          value={search.kind ?? null}
          onChange={(kind) => void patch({ kind: (kind ?? undefined) as JobKind })}
        />
        {can('audit.read') && (
          <SegmentedControl
            label={t('jobs:whose')}
            value={everybody ? 'all' : 'mine'}
            onChange={(whose) => void patch({ all: whose === 'all' ? true : undefined } as never)}
            options={[
              { value: 'mine', label: t('jobs:mine') },
              { value: 'all', label: t('jobs:everybody') },
            ]}
          />
        )}
      </div>
      {isPending && <SkeletonRows rows={6} height={44} />}
      {error !== null && data === undefined && <ErrorState error={error} onRetry={() => refetch()} />}
      {data !== undefined && rows.length === 0 && (
        <EmptyState cause="none" title={t('jobs:none.title')} text={t('jobs:none.text')} />
      )}
      {rows.length > 0 && (
        <div className={css.panel}>
          <Table
            label={t('jobs:title')}
            rows={rows}
            rowKey={(job) => job.id}
            onRowClick={(job) => void patch({ job: job.id })}
            columns={[
              {
                key: 'what',
                label: t('jobs:what'),
                cell: (job) => {
                  const object = findObject(objects, job.object);
                  return (
                    <span className={css.what}>
                      <ObjectIcon name={object?.icon ?? ''} size={15} />
                      <span>{title(job)}</span>
                      <span className="muted">{label(object?.plural, job.object)}</span>
                    </span>
                  );
                },
              },
              {
                key: 'status',
                label: t('jobs:statusLabel'),
                cell: (job) => <Dot color={HUES[job.status]}>{t(`jobs:status.${job.status}`)}</Dot>,
              },
              { key: 'outcome', label: t('jobs:outcome'), cell: (job) => <Outcome job={job} /> },
              {
                key: 'by',
                label: t('jobs:by'),
                minor: true,
                cell: (job) => <span className="muted">{job.created_by?.title ?? '\u2013'}</span>,
              },
              {
                key: 'at',
                label: t('jobs:at'),
                minor: true,
                cell: (job) => <span className="muted">{fmt.relative(job.created_at)}</span>,
              },
            ]}
          />
        </div>
      )}
      {hasNextPage && (
        <div className={css.more}>
          <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t('jobs:more')}
          </Button>
        </div>
      )}
      {search.job !== undefined && (
        <JobDrawer id={search.job} onClose={() => void patch({ job: undefined } as never)} />
      )}
    </Page>
  );
}
