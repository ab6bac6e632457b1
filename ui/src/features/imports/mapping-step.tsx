import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { type ImportRun, useStartImport } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Button, confirm, Panel, toast } from '@/ui';
import { FormatPanel } from './format-panel';
import css from './imports.module.css';
import { missingTargets } from './mapping';
import { MappingTable } from './mapping-table';
import { OptionsPanel } from './options-panel';
import { PreviewTable } from './preview-table';
import { SavedPanel } from './saved-panel';
import { LeftLines, Tallies } from './tallies';
import { type MappingEditor, useMapping } from './use-mapping';
import { Warnings } from './warnings';

/** The mistakes stand at their columns, the rows without a rate in the result. */
const SAID_ELSEWHERE = new Set(['import.mapping_invalid', 'import.no_rate_rows']);

function Problems({ run, editor }: { run: ImportRun; editor: MappingEditor }) {
  const { t } = useTranslation('imports');
  const label = useLabel();
  const missing = missingTargets(editor.draft, run.targets);
  const faults = editor.faults.filter(
    (fault) => !missing.some((target) => fault.location === target.key || fault.location === `fields.${target.key}`),
  );
  const warnings = editor.faults.length > 0 ? [] : run.warnings.filter(({ code }) => !SAID_ELSEWHERE.has(code));
  const whole = editor.error instanceof Error ? editor.error.message : null;
  return (
    <div className={css.problems} aria-live="polite">
      {whole !== null && (
        <p className={css.failed} role="alert">
          {whole}
        </p>
      )}
      {missing.map((target) => (
        <p key={target.key} className={css.problem} data-tone="danger">
          <IconAlertTriangle size={15} aria-hidden />
          {t('imports:missing', { name: label(target.label, target.key) })}
        </p>
      ))}
      {faults.map((fault) => (
        <p key={fault.location + fault.code} className={css.problem} data-tone="danger">
          <IconAlertTriangle size={15} aria-hidden />
          {fault.message}
        </p>
      ))}
      <Warnings warnings={warnings} editor={editor} />
      {whole === null && missing.length === 0 && faults.length === 0 && warnings.length === 0 && (
        <p className={css.problem} data-tone="ok">
          <IconCircleCheck size={15} aria-hidden />
          {t('imports:mappingOk')}
        </p>
      )}
    </div>
  );
}

function Checked({ run }: { run: ImportRun }) {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  if (run.status !== 'checked' || run.result === null || run.result.rows === 0) return null;
  return (
    <Panel title={t('imports:checkResult')} aside={fmt.duration(run.result.seconds)}>
      <div className="stack">
        <p className="muted">{t('imports:checkNote')}</p>
        <Tallies result={run.result} dry />
        <LeftLines run={run} />
      </div>
    </Panel>
  );
}

/** Format, columns, options; then a dry run, then the real one. */
export function MappingStep({ run }: { run: ImportRun }) {
  const { t } = useTranslation(['imports', 'common']);
  const fmt = useFormat();
  const editor = useMapping(run);
  const start = useStartImport();
  const used = new Set(Object.values(editor.draft.columns).flat()).size;
  const blocked = editor.faults.length > 0 || missingTargets(editor.draft, run.targets).length > 0 || used === 0;
  const launch = async (dryRun: boolean) => {
    if (!(await editor.flush())) return;
    const errors = run.status === 'checked' ? (run.result?.errors ?? 0) : 0;
    if (!dryRun && errors > 0) {
      const text = t('imports:startAnywayText', { count: errors, shown: fmt.number(errors) });
      if (!(await confirm({ title: t('imports:startAnyway'), text, confirm: t('imports:start') }))) return;
    }
    start.mutate(
      { id: run.id, dryRun },
      { onError: (error) => toast.error(t('imports:notStarted'), { detail: error.message }) },
    );
  };
  return (
    <div className={css.mapGrid}>
      <div className={css.mapMain}>
        <FormatPanel run={run} editor={editor} />
        <Checked run={run} />
        <Panel
          flush
          title={t('imports:columns')}
          aside={
            <span aria-live="polite">
              {editor.saving ? t('imports:saving') : t('imports:mapped', { used, count: run.columns.length })}
            </span>
          }
        >
          <MappingTable run={run} editor={editor} />
        </Panel>
        <Panel flush title={t('imports:preview')} aside={t('imports:firstRows', { count: run.preview.length })}>
          <PreviewTable run={run} draft={editor.draft} />
        </Panel>
      </div>
      <aside className={css.mapSide}>
        <Panel title={t('imports:ready')}>
          <div className="stack">
            <Problems run={run} editor={editor} />
            <div className={css.launch}>
              <Button disabled={blocked} loading={start.isPending} onClick={() => launch(true)}>
                {t('imports:dryRun')}
              </Button>
              <Button kind="primary" disabled={blocked} loading={start.isPending} onClick={() => launch(false)}>
                {t('imports:start')}
              </Button>
            </div>
            <p className={css.small}>{t('imports:dryRunHelp')}</p>
          </div>
        </Panel>
        {run.retry_of === null && <SavedPanel run={run} editor={editor} />}
        <OptionsPanel run={run} editor={editor} />
      </aside>
    </div>
  );
}
