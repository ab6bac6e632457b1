import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ImportRun, importsQuery, isImportBusy } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import { ButtonLink, EmptyState, ErrorState, ObjectIcon, Page, Progress, SkeletonRows, Table } from '@/ui';
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

export function ImportsPage() {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const navigate = useNavigate();
  const can = useCan();
  const allowed = can('import.run');
  const { data, error, isPending, refetch } = useQuery({
    ...importsQuery(),
    enabled: allowed,
    refetchInterval: (query) => (query.state.data?.items.some(isImportBusy) ? 1500 : false),
  });
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
      {data !== undefined && data.items.length === 0 && (
        <EmptyState cause="none" title={t('imports:none.title')} text={t('imports:none.text')} actions={create} />
      )}
      {data !== undefined && data.items.length > 0 && (
        <div className={css.listPanel}>
          <Table
            label={t('imports:title')}
            rows={data.items}
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
    </Page>
  );
}
