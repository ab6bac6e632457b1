import { type ImportRun, useCancelImport } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, confirm, Panel, Progress, toast } from '@/ui';
import css from './imports.module.css';
import { Tallies } from './tallies';

const PHASES: Record<string, string> = {
  queued: 'queued',
  reading: 'reading',
  writing: 'writing',
  write: 'writing',
  check: 'checking',
  undoing: 'undoing',
  undo: 'undoing',
  done: 'done',
};

/** A run while it works: how far, how fast, how long still, and what it has done so far. */
export function ProgressStep({ run }: { run: ImportRun }) {
  const { t } = useTranslation(['imports', 'common']);
  const fmt = useFormat();
  const cancel = useCancelImport();
  const { progress } = run;
  const share = progress === null || progress.total_bytes === 0 ? null : progress.bytes / progress.total_bytes;
  const phase = run.status === 'checking' ? 'checking' : (PHASES[progress?.phase ?? ''] ?? 'queued');
  const stop = async () => {
    const sure = await confirm({
      title: t('imports:cancel.title'),
      text: run.status === 'checking' ? t('imports:cancel.check') : t('imports:cancel.text'),
      confirm: t('imports:cancel.confirm'),
      danger: true,
    });
    if (sure) cancel.mutate({ id: run.id }, { onError: (error) => toast.error(error.message) });
  };
  const facts = [
    { key: 'rows', value: fmt.number(progress?.rows ?? 0) },
    { key: 'rate', value: t('imports:perSecond', { rate: fmt.number(Math.round(progress?.rate ?? 0)) }) },
    {
      key: 'left',
      value:
        progress === null || progress.seconds_left === null || progress.rate === 0
          ? '\u2013'
          : fmt.duration(Math.max(1, Math.round(progress.seconds_left))),
    },
  ];
  return (
    <Panel
      title={t(`imports:phase.${phase}`)}
      aside={
        <Button loading={cancel.isPending} onClick={stop}>
          {t('common:cancel')}
        </Button>
      }
    >
      <div className="stack">
        <div className="row">
          <div className="grow">
            <Progress value={share} label={t('imports:progressOf', { name: run.file_name })} height={10} />
          </div>
          <span className={css.share}>{share === null ? '' : fmt.percent(share, 0)}</span>
        </div>
        <p className="sr-only" role="status">
          {t(`imports:phase.${phase}`)} {share === null ? '' : fmt.percent(Math.floor(share * 10) / 10, 0)}
        </p>
        <dl className={css.facts}>
          {facts.map((fact) => (
            <div key={fact.key}>
              <dt>{t(`imports:progress.${fact.key}`)}</dt>
              <dd>{fact.value}</dd>
            </div>
          ))}
        </dl>
        {run.result !== null && run.result.rows > 0 && run.status !== 'undoing' && (
          <Tallies result={run.result} dry={run.status === 'checking'} />
        )}
        <p className={css.small}>{t('imports:mayLeave')}</p>
      </div>
    </Panel>
  );
}
