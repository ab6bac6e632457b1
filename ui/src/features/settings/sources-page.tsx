import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type EventSource, sourcesQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, EmptyState, ErrorState, Panel, prose, SkeletonRows, Table } from '@/ui';
import { Spark } from '@/ui/chart';
import css from './settings.module.css';
import { everyDay, SourceHealth } from './sources-state';

/** Every door that events come by, with its health. */
export function SourcesPage() {
  const { t } = useTranslation('sources');
  const fmt = useFormat();
  const can = useCan();
  const navigate = useNavigate();
  const allowed = can('source.manage');
  const { data, error, isPending, refetch } = useQuery({ ...sourcesQuery(), enabled: allowed });
  if (!allowed) return <EmptyState cause="no_permission" />;
  const add = (
    <ButtonLink to="/settings/sources/new" kind="primary" icon={<IconPlus size={15} />}>
      {t('sources:add')}
    </ButtonLink>
  );
  const empty = data !== undefined && data.items.length === 0;
  const total = (source: EventSource) => source.days.reduce((sum, day) => sum + day.accepted, 0);
  return (
    <div className="stack">
      {data?.flow.trouble.map((each) => (
        <p key={each.step} className={css.warnBox} role="status">
          {t('sources:trouble', { step: t(`sources:step.${each.step}`), since: fmt.datetime(each.since) })}{' '}
          {each.message}
        </p>
      ))}
      <Panel flush title={t('sources:title')} aside={empty ? undefined : add}>
        {isPending && <SkeletonRows rows={3} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<EventSource>
            label={t('sources:title')}
            rows={data.items}
            rowKey={(source) => source.id}
            onRowClick={(source) => navigate({ to: '/settings/sources/$id', params: { id: source.id } })}
            empty={
              <EmptyState compact cause="none" title={t('sources:none')} text={t('sources:noneText')} actions={add} />
            }
            columns={[
              {
                key: 'name',
                label: t('sources:name'),
                cell: (source) => (
                  <span className={prose.lines}>
                    <Link
                      to="/settings/sources/$id"
                      params={{ id: source.id }}
                      className={prose.plain}
                      onClick={(event) => event.stopPropagation()}
                    >
                      {source.name}
                    </Link>
                    <span className="muted">{t(`sources:type.${source.type}`)}</span>
                  </span>
                ),
              },
              { key: 'state', label: t('sources:state'), cell: (source) => <SourceHealth source={source} /> },
              {
                key: 'last',
                label: t('sources:last'),
                minor: true,
                cell: (source) => (
                  <span className="muted">
                    {source.last_event_at === null ? t('sources:never') : fmt.relative(source.last_event_at)}
                  </span>
                ),
              },
              {
                key: 'days',
                label: t('sources:thirtyDays'),
                minor: true,
                cell: (source) => (
                  <Spark
                    label={t('sources:chart', { name: source.name, count: total(source) })}
                    values={everyDay(source).map((day) => day.accepted)}
                  />
                ),
              },
              {
                key: 'count',
                label: t('sources:accepted'),
                align: 'right',
                cell: (source) => fmt.number(total(source)),
              },
            ]}
          />
        )}
      </Panel>
    </div>
  );
}
