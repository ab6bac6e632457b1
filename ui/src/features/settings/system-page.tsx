import { IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { type SystemJob, type SystemState, systemQuery, useRecomputeTraits } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import { Button, Dot, ErrorState, Facts, Panel, SkeletonRows, toast } from '@/ui';
import { DemoPanel } from './demo-panel';
import css from './settings.module.css';

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

const JOB_KINDS = ['nightly', 'demo'] as const;

function Troubled({ jobs }: { jobs: SystemJob[] }) {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  if (jobs.length === 0) return null;
  return (
    <Panel title={t('settings:system.troubled')}>
      <Facts>
        {jobs.map((job) => (
          <Fact
            key={`${job.kind} ${job.at}`}
            name={t(`settings:system.job.${JOB_KINDS.find((k) => k === job.kind) ?? 'other'}`)}
          >
            <Dot color={job.state === 'failed' ? 'red' : 'amber'}>
              {t(job.state === 'failed' ? 'settings:system.gaveUp' : 'settings:system.willRetry')}
            </Dot>
            <div>{job.message}</div>
            <div className="muted">
              {t(job.state === 'failed' ? 'settings:system.after' : 'settings:system.retrying', {
                shown: fmt.number(job.attempts),
                when: fmt.datetime(job.at),
              })}
            </div>
          </Fact>
        ))}
      </Facts>
    </Panel>
  );
}

type Mirror = SystemState['mirror'];

function MirrorState({ mirror }: { mirror: Mirror }) {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  if (mirror.rebuilding) {
    return (
      <>
        <Dot color="amber">{t('settings:system.rebuilding')}</Dot>
        <div>{t('settings:system.rebuildingHelp')}</div>
      </>
    );
  }
  if (mirror.lag_changes === 0) return <Dot color="green">{t('settings:system.current')}</Dot>;
  return (
    <Dot color="amber">
      {t('settings:system.behind', {
        count: mirror.lag_changes,
        shown: fmt.number(mirror.lag_changes),
        time: fmt.duration(mirror.lag_seconds),
      })}
    </Dot>
  );
}

export function SystemPage() {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  const can = useCan();
  const { workspace } = useSession();
  const { data, error, isPending, refetch, dataUpdatedAt } = useQuery({ ...systemQuery(), refetchInterval: 5_000 });
  const recompute = useRecomputeTraits();
  if (isPending) return <SkeletonRows rows={6} />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => refetch()} />;
  const { mirror, search, traits } = data;
  const run = () =>
    recompute.mutate(undefined, {
      onSuccess: () => toast.ok(t('settings:system.recomputing')),
      onError: (problem) => toast.error(problem.message),
    });
  return (
    <div className={css.wideForm}>
      <Panel
        title={t('settings:page.system')}
        aside={t('settings:system.seen', { time: fmt.time(new Date(dataUpdatedAt).toISOString()) })}
      >
        <Facts>
          <Fact name={t('settings:system.version')}>
            <code>{data.version}</code>
          </Fact>
          <Fact name={t('settings:system.workspace')}>
            {workspace.name}{' '}
            <span className="muted">
              {workspace.timezone} {'\u00b7'} {workspace.currency}
            </span>
          </Fact>
          <Fact name={t('settings:system.plane')}>{t(`settings:plane.${data.plane}`)}</Fact>
          <Fact name={t('settings:system.size')}>{fmt.bytes(data.data_bytes)}</Fact>
        </Facts>
      </Panel>
      <Panel title={t('settings:system.derived')}>
        <Facts>
          <Fact name={t('settings:system.mirror')}>
            <MirrorState mirror={mirror} />
            <div className="muted">
              {t('settings:system.position', { position: fmt.number(mirror.position), head: fmt.number(mirror.head) })}
            </div>
          </Fact>
          <Fact name={t('settings:system.search')}>
            <Dot color={search.lag_changes === 0 ? 'green' : 'amber'}>
              {search.lag_changes === 0
                ? t('settings:system.current')
                : t('settings:system.behindChanges', {
                    count: search.lag_changes,
                    shown: fmt.number(search.lag_changes),
                  })}
            </Dot>
          </Fact>
          <Fact name={t('settings:system.traits')}>
            <Dot color={traits.stale ? 'amber' : 'green'}>
              {traits.stale ? t('settings:system.stale') : t('settings:system.current')}
            </Dot>
            <div className="muted">
              {traits.computed_at === null
                ? t('settings:system.neverComputed')
                : t('settings:system.computed', { when: fmt.datetime(traits.computed_at) })}
            </div>
          </Fact>
        </Facts>
        {can('classification.write') && (
          <div className={css.after}>
            <Button icon={<IconRefresh size={15} />} loading={recompute.isPending} onClick={run}>
              {t('settings:system.recompute')}
            </Button>
            <span className="muted">{t('settings:system.recomputeHelp')}</span>
          </div>
        )}
      </Panel>
      {can('system.manage') && <DemoPanel />}
      <Troubled jobs={data.jobs} />
    </div>
  );
}
