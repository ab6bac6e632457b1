import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconCircleCheck,
  IconCircleX,
  IconPencil,
  IconPlayerPlay,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { type ImportRun, useStartImport, useUndoImport } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { Button, ButtonLink, confirm, Panel, toast } from '@/ui';
import css from './imports.module.css';
import { hasLeftLines, LeftLines, Tallies } from './tallies';

const RetryPanel = lazy(() => import('./retry-panel').then((module) => ({ default: module.RetryPanel })));

const signOf = (run: ImportRun) => {
  if (run.status === 'failed') return <IconCircleX size={26} stroke={1.5} color="var(--danger)" aria-hidden />;
  if (run.status === 'done' && (run.result?.errors ?? 0) === 0)
    return <IconCircleCheck size={26} stroke={1.5} color="var(--ok)" aria-hidden />;
  if (run.status === 'undone') return <IconArrowBackUp size={26} stroke={1.5} color="var(--text-3)" aria-hidden />;
  return <IconAlertTriangle size={26} stroke={1.5} color="var(--warn)" aria-hidden />;
};

function useHeadline(run: ImportRun): { title: string; text: string } {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  const { result } = run;
  const count = result?.rows ?? 0;
  switch (run.status) {
    case 'failed':
      return { title: t('imports:headline.failed'), text: run.error?.detail ?? run.error?.title ?? '' };
    case 'cancelled':
      return { title: t('imports:headline.cancelled'), text: t('imports:headline.cancelledText') };
    case 'undone':
      return {
        title: t('imports:headline.undone'),
        text: t('imports:headline.undoneText', {
          removed: fmt.number(result?.removed ?? 0),
          restored: fmt.number(result?.restored ?? 0),
          kept: fmt.number(result?.kept ?? 0),
        }),
      };
    default: {
      const errors = result?.errors ?? 0;
      return {
        title: errors > 0 ? t('imports:headline.doneWithErrors') : t('imports:headline.done'),
        text: t('imports:headline.doneText', {
          count,
          shown: fmt.number(count),
          took: fmt.duration(result?.seconds ?? 0),
        }),
      };
    }
  }
}

/** What became of an import, and what can be done about it. */
export function ResultStep({ run, onRemap }: { run: ImportRun; onRemap: () => void }) {
  const { t } = useTranslation(['imports', 'importing']);
  const [correcting, setCorrecting] = useState(false);
  const label = useLabel();
  const fmt = useFormat();
  const objects = useObjects();
  const undo = useUndoImport();
  const resume = useStartImport();
  const headline = useHeadline(run);
  const object = findObject(objects, run.object);
  const stopped = run.status === 'failed' || run.status === 'cancelled';
  const touched = (run.result?.rows ?? 0) > 0;
  const takeBack = async () => {
    const created = Object.values(run.result?.by_object ?? {}).reduce((sum, tally) => sum + (tally.created ?? 0), 0);
    const updated = Object.values(run.result?.by_object ?? {}).reduce((sum, tally) => sum + (tally.updated ?? 0), 0);
    const sure = await confirm({
      title: t('imports:undo.title'),
      text: t('imports:undo.text', { created: fmt.number(created), updated: fmt.number(updated) }),
      confirm: t('imports:undo.confirm'),
      danger: true,
    });
    if (sure)
      undo.mutate(
        { id: run.id },
        { onError: (error) => toast.error(t('imports:undo.failed'), { detail: error.message }) },
      );
  };
  const goOn = () =>
    resume.mutate(
      { id: run.id, dryRun: false },
      { onError: (error) => toast.error(t('imports:notStarted'), { detail: error.message }) },
    );
  return (
    <>
      <Panel>
        <div className={css.headline} role="status">
          {signOf(run)}
          <div className="grow">
            <h2>{headline.title}</h2>
            <p className="muted">{headline.text}</p>
            {run.retry_of !== null && (
              <p className="muted">
                {t('importing:retryOf')}{' '}
                <Link to="/imports/$id" params={{ id: run.retry_of }}>
                  {t('importing:firstImport')}
                </Link>
              </p>
            )}
          </div>
        </div>
        {touched && run.result !== null && run.status !== 'undone' && (
          <div className={css.resultBody}>
            <Tallies result={run.result} />
          </div>
        )}
        <div className={css.resultActions}>
          {run.status === 'done' && object !== undefined && (
            <ButtonLink kind="primary" to="/o/$object" params={{ object: run.object }} search={{ sort: '-created_at' }}>
              {t('imports:openRecords', { name: label(object.plural, run.object) })}
            </ButtonLink>
          )}
          {stopped && (
            <>
              <Button kind="primary" icon={<IconPlayerPlay size={15} />} loading={resume.isPending} onClick={goOn}>
                {t('imports:resume')}
              </Button>
              <Button onClick={onRemap}>{t('imports:remap')}</Button>
            </>
          )}
          {run.status !== 'undone' && (run.result?.errors ?? 0) > 0 && (
            <Button
              icon={<IconPencil size={15} />}
              aria-expanded={correcting}
              onClick={() => setCorrecting(!correcting)}
            >
              {t('importing:correct')}
            </Button>
          )}
          {(run.result?.review ?? 0) > 0 && run.status === 'done' && (
            <ButtonLink to="/duplicates/$object" params={{ object: run.object }}>
              {t('importing:openReview', { count: run.result?.review ?? 0 })}
            </ButtonLink>
          )}
          {(run.status === 'done' || (stopped && touched)) && (
            <Button
              kind="danger-subtle"
              icon={<IconArrowBackUp size={15} />}
              loading={undo.isPending}
              onClick={takeBack}
            >
              {t('imports:undo.action')}
            </Button>
          )}
          <ButtonLink to="/imports/new" search={{ object: run.object }}>
            {t('imports:another')}
          </ButtonLink>
        </div>
      </Panel>
      {correcting && (
        <Panel title={t('importing:correctTitle')}>
          <Suspense>
            <RetryPanel run={run} />
          </Suspense>
        </Panel>
      )}
      {hasLeftLines(run) && (
        <Panel>
          <LeftLines run={run} />
        </Panel>
      )}
    </>
  );
}
