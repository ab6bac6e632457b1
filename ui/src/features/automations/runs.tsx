import { IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import {
  type Automation,
  type AutomationRun,
  automationRunQuery,
  automationRunsQuery,
  type RunState,
  type RunStep,
  useRunsAction,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, findObject, useObjects } from '@/metadata';
import {
  Button,
  Drawer,
  EmptyState,
  ErrorState,
  Facts,
  Panel,
  Pill,
  prose,
  SegmentedControl,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import css from './automations.module.css';
import { numbered } from './draft';
import { RunPill } from './parts';

const FILTERS = ['all', 'waiting', 'failed', 'done'] as const;

function useAction(rule: Automation, what: 'replay' | 'skip' | 'cancel') {
  const { t } = useTranslation('automations');
  const action = useRunsAction(what);
  return {
    pending: action.isPending,
    run: (run?: string) =>
      action.mutate(
        { id: rule.id, ...(run !== undefined && { run }) },
        {
          onSuccess: ({ count }) => toast.ok(t(`automations:did.${what}`, { count })),
          onError: (error) => toast.error(error.message),
        },
      ),
  };
}

/** What the rule did, newest first; failed runs can go on. */
export function Runs({ rule }: { rule: Automation }) {
  const { t } = useTranslation('automations');
  const fmt = useFormat();
  const [filter, setFilter] = useState<(typeof FILTERS)[number]>('all');
  const [shown, setShown] = useState<string | null>(null);
  const state: RunState | null = filter === 'all' ? null : filter;
  const replay = useAction(rule, 'replay');
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    automationRunsQuery(rule.id, state),
  );
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className={css.bar}>
        <SegmentedControl
          label={t('automations:filter')}
          value={filter}
          onChange={setFilter}
          options={FILTERS.map((each) => ({
            value: each,
            label: each === 'all' ? t('automations:all') : t(`automations:run.${each}`),
          }))}
        />
        {rule.failed > 0 && (
          <Button icon={<IconRefresh size={15} />} loading={replay.pending} onClick={() => replay.run()}>
            {t('automations:replayAll', { count: rule.failed })}
          </Button>
        )}
      </div>
      <Panel flush title={t('automations:runs')}>
        {isPending && <SkeletonRows rows={5} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<AutomationRun>
            label={t('automations:runs')}
            rows={rows}
            rowKey={(run) => run.id}
            onRowClick={(run) => setShown(run.id)}
            empty={
              <EmptyState compact cause={filter === 'all' ? 'none' : 'no_match'} title={t('automations:noRuns')} />
            }
            columns={[
              {
                key: 'record',
                label: t('automations:record'),
                cell: (run) => (
                  <span className={prose.lines}>
                    <button type="button" className={prose.link} onClick={() => setShown(run.id)}>
                      {run.record.title || run.record.id}
                    </button>
                    <span className={prose.when}>{fmt.datetime(run.created_at)}</span>
                  </span>
                ),
              },
              { key: 'state', label: t('automations:stateLabel'), cell: (run) => <RunPill state={run.state} /> },
              {
                key: 'problem',
                label: t('automations:problem'),
                minor: true,
                cell: (run) => <span className="muted">{run.problem || Due(run, t, fmt.datetime)}</span>,
              },
            ]}
          />
        )}
      </Panel>
      {hasNextPage && (
        <div>
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('automations:older')}
          </Button>
        </div>
      )}
      <Drawer opened={shown !== null} onClose={() => setShown(null)} title={t('automations:oneRun')} size={560}>
        {shown !== null && <Detail rule={rule} run={shown} />}
      </Drawer>
    </>
  );
}

const Due = (
  run: AutomationRun,
  t: (key: string, values?: Record<string, unknown>) => string,
  show: (at: string) => string,
): string => (run.due_at === null || run.state !== 'waiting' ? '' : t('automations:until', { at: show(run.due_at) }));

function Detail({ rule, run: id }: { rule: Automation; run: string }) {
  const { t } = useTranslation('automations');
  const { data, error, refetch } = useQuery(automationRunQuery(rule.id, id));
  const replay = useAction(rule, 'replay');
  const skip = useAction(rule, 'skip');
  const cancel = useAction(rule, 'cancel');
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  const { run, steps } = data;
  const live = run.state === 'ready' || run.state === 'waiting';
  const numbers = numbered(rule.definition.steps);
  return (
    <div className="stack">
      <Facts>
        <dt>{t('automations:record')}</dt>
        <dd>
          <Link to="/o/$object/$id" params={{ object: run.record.object, id: run.record.id }}>
            {run.record.title || run.record.id}
          </Link>
        </dd>
        <dt>{t('automations:stateLabel')}</dt>
        <dd>
          <RunPill state={run.state} /> {run.problem}
        </dd>
        <dt>{t('automations:revisionLabel')}</dt>
        <dd>{run.revision}</dd>
        {run.by !== null && (
          <>
            <dt>{t('automations:by')}</dt>
            <dd>{run.by.title}</dd>
          </>
        )}
        {run.chain.length > 0 && (
          <>
            <dt>{t('automations:chain')}</dt>
            <dd>{run.chain.join(' → ')}</dd>
          </>
        )}
      </Facts>
      <span className="row">
        {run.state === 'failed' && (
          <>
            <Button kind="primary" loading={replay.pending} onClick={() => replay.run(run.id)}>
              {t('automations:replay')}
            </Button>
            <Button loading={skip.pending} onClick={() => skip.run(run.id)}>
              {t('automations:skip')}
            </Button>
          </>
        )}
        {live && (
          <Button loading={cancel.pending} onClick={() => cancel.run(run.id)}>
            {t('automations:cancel')}
          </Button>
        )}
      </span>
      <ol className={css.lines}>
        {steps.map((step) => (
          <StepLine key={step.number} step={step} number={numbers.get(step.step) ?? ''} rule={rule} />
        ))}
      </ol>
      {steps.length === 0 && <p className="muted">{t('automations:noSteps')}</p>}
    </div>
  );
}

const GOOD = new Set(['done', 'yes', 'no', 'passed', 'same', 'waiting', 'sending', 'asked']);

function StepLine({ step, number, rule }: { step: RunStep; number: string; rule: Automation }) {
  const { t } = useTranslation('automations');
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const { detail } = step;
  const object = findObject(objects, detail.object ?? rule.object);
  const fields = (detail.fields ?? []).map((key) => label(findField(object, key)?.label, key));
  const color = step.outcome === 'failed' ? 'red' : 'amber';
  return (
    <li>
      <strong>
        {number} {step.kind && t(`automations:kind.${step.kind}`)}
      </strong>{' '}
      <Pill color={GOOD.has(step.outcome) ? 'green' : color}>{t(`automations:outcome.${step.outcome}`)}</Pill>
      <div className="muted">{fmt.datetime(step.at)}</div>
      {fields.length > 0 && <div className="muted">{fields.join(t('automations:comma'))}</div>}
      {detail.host !== undefined && (
        <div className="muted">
          {detail.host} {detail.status ?? ''}
        </div>
      )}
      {detail.request !== undefined && (
        <Link to="/approvals" search={{ tab: 'all', id: detail.request }}>
          {t('automations:mail.request')}
        </Link>
      )}
      {detail.until !== undefined && (
        <div className="muted">{t('automations:until', { at: fmt.datetime(detail.until) })}</div>
      )}
      {detail.record !== undefined && detail.object !== undefined && (
        <Link to="/o/$object/$id" params={{ object: detail.object, id: detail.record }}>
          {label(object?.label, detail.object)}
        </Link>
      )}
      {step.problem !== '' && <div className={css.fault}>{step.problem}</div>}
    </li>
  );
}
