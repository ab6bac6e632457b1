import { IconAdjustments, IconCategory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Clusters, clustersQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonLink, Closed, EmptyState, ErrorState, Page, Panel, Pill, SkeletonRows, Table } from '@/ui';
import { StackBar } from '@/ui/chart';
import css from './clusters.module.css';
import { GroupCard, hueOf } from './group-card';
import { SaveClasses } from './save-classes';
import { useWords } from './words';

const LITTLE = 0.1;
const MUCH = 0.25;

function Drift({ data }: { data: Clusters }) {
  const { t } = useTranslation('clusters');
  const fmt = useFormat();
  const small = data.drift < MUCH ? 'some' : 'much';
  const level = data.drift < LITTLE ? 'little' : small;
  return (
    <span title={t('clusters:driftMeans')}>
      <Pill color={level === 'much' ? 'amber' : 'gray'}>
        {t(`clusters:drift.${level}`, { value: fmt.number(data.drift, 2) })}
      </Pill>
    </span>
  );
}

function Head({ data }: { data: Clusters }) {
  const { t } = useTranslation('clusters');
  const fmt = useFormat();
  const words = useWords(data);
  const all = data.groups.reduce((sum, group) => sum + group.count, 0);
  const parts = data.groups.map((group) => ({
    key: group.key,
    label: t('clusters:group', { number: group.number }),
    color: hueOf(group.number),
    value: group.count,
  }));
  return (
    <Panel
      title={t('clusters:found', { count: data.groups.length, all: fmt.number(all) })}
      aside={<Drift data={data} />}
    >
      <StackBar
        height={14}
        parts={parts}
        label={parts.map((part) => `${part.label} ${fmt.number(part.value)}`).join(', ')}
      />
      <p className={css.foot}>
        {t('clusters:by', { traits: fmt.list(data.traits.map((one) => words.name(one))), day: fmt.date(data.until) })}
      </p>
      {data.notes.map((note) => (
        <p key={note.text} className={css.note} data-level={note.level}>
          {note.text}
        </p>
      ))}
    </Panel>
  );
}

/** All groups beside each other. */
function Beside({ data }: { data: Clusters }) {
  const { t } = useTranslation('clusters');
  const words = useWords(data);
  return (
    <Panel flush title={t('clusters:beside')}>
      <Table
        label={t('clusters:beside')}
        rows={data.traits}
        rowKey={(one) => one.key}
        columns={[
          { key: 'trait', label: t('clusters:trait'), cell: (one) => words.name(one) },
          ...data.groups.map((group) => ({
            key: group.key,
            label: t('clusters:group', { number: group.number }),
            align: 'right' as const,
            cell: (one: Clusters['traits'][number]) => {
              const at = data.traits.indexOf(one);
              const apart = group.apart[at] ?? 0;
              return (
                <span
                  className={css.cell}
                  data-far={Math.abs(apart) >= 0.4 || undefined}
                  data-low={apart < 0 || undefined}
                >
                  {words.value(one, group.means[at] ?? 0)}
                </span>
              );
            },
          })),
          { key: 'all', label: t('clusters:everyone'), align: 'right', cell: (one) => words.value(one, one.mean) },
        ]}
      />
    </Panel>
  );
}

function Trials({ data }: { data: Clusters }) {
  const { t } = useTranslation('clusters');
  const fmt = useFormat();
  return (
    <Panel flush title={t('clusters:trials')}>
      <Table
        label={t('clusters:trials')}
        rows={data.trials}
        rowKey={(one) => String(one.groups)}
        columns={[
          {
            key: 'groups',
            label: t('clusters:count'),
            cell: (one) => (
              <>
                {fmt.number(one.groups)}{' '}
                {one.groups === data.suggested && <span className={css.quiet}>{t('clusters:suggested')}</span>}
                {one.groups === data.groups.length && one.groups !== data.suggested && (
                  <span className={css.quiet}>{t('clusters:inUse')}</span>
                )}
              </>
            ),
          },
          {
            key: 'silhouette',
            label: t('clusters:silhouette'),
            align: 'right',
            cell: (one) => fmt.number(one.silhouette, 3),
          },
          {
            key: 'stability',
            label: t('clusters:stability'),
            align: 'right',
            cell: (one) => fmt.number(one.stability, 3),
          },
          {
            key: 'smallest',
            label: t('clusters:smallest'),
            align: 'right',
            minor: true,
            cell: (one) => fmt.percent(one.smallest, 0),
          },
        ]}
      />
      <p className={css.foot}>{t('clusters:trialsMean')}</p>
    </Panel>
  );
}

function Report() {
  const { t } = useTranslation('clusters');
  const answer = useQuery(clustersQuery());
  const data = answer.data;
  if (data === undefined)
    return answer.isError ? (
      <ErrorState error={answer.error} onRetry={() => answer.refetch()} />
    ) : (
      <SkeletonRows rows={8} />
    );
  if (!data.ready) return <EmptyState cause="none" title={t('clusters:soon.title')} text={t('clusters:soon.text')} />;
  if (data.groups.length === 0)
    return (
      <EmptyState
        cause="none"
        title={t('clusters:none.title')}
        text={data.notes.map((note) => note.text).join(' ') || t('clusters:none.text')}
      />
    );
  return (
    <div className={css.page}>
      <Head data={data} />
      <div className={css.groups}>
        {data.groups.map((group) => (
          <GroupCard key={group.key} data={data} group={group} />
        ))}
      </div>
      <Beside data={data} />
      <Trials data={data} />
    </div>
  );
}

/** Groups of customers that were found by themselves. */
export function ClustersPage() {
  const { t } = useTranslation('clusters');
  const can = useCan();
  const allowed = can('segment.read');
  const { data } = useQuery({ ...clustersQuery(), enabled: allowed });
  const [saving, setSaving] = useState(false);
  const found = data !== undefined && data.groups.length > 0;
  return (
    <Page
      title={t('clusters:title')}
      actions={
        allowed && (
          <>
            <ButtonLink to="/models/$key" params={{ key: 'cluster' }} icon={<IconAdjustments size={16} />}>
              {t('clusters:settings')}
            </ButtonLink>
            {found && can('classification.write') && (
              <Button kind="primary" icon={<IconCategory size={16} />} onClick={() => setSaving(true)}>
                {t('clusters:toClasses')}
              </Button>
            )}
          </>
        )
      }
    >
      {allowed ? <Report /> : <Closed cause="no_permission" />}
      {saving && found && <SaveClasses data={data} onClose={() => setSaving(false)} />}
    </Page>
  );
}
