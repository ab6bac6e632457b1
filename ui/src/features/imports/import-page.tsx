import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { type ImportRun, importQuery, isImportBusy } from '@/api';
import { useTranslation } from '@/i18n';
import { BackLink, ErrorState, Page, SkeletonRows } from '@/ui';
import css from './imports.module.css';
import { MappingStep } from './mapping-step';
import { ProgressStep } from './progress-step';
import { ResultStep } from './result-step';
import { ImportStatusDot } from './status';
import { type Step, Steps } from './steps';

/** A run that came to an end can go back to its mapping: failed and cancelled ones. */
function stepOf(run: ImportRun, remap: boolean): Step {
  if (isImportBusy(run)) return 'run';
  if (run.status === 'uploaded' || run.status === 'checked' || remap) return 'map';
  return 'result';
}

export function ImportPage() {
  const { t } = useTranslation('imports');
  const { id = '' } = useParams({ strict: false });
  const [remap, setRemap] = useState(false);
  const { data: run, error, isPending, refetch } = useQuery(importQuery(id));
  const back = <BackLink to="/imports" label={t('imports:backToList')} />;
  if (run === undefined)
    return (
      <Page title={t('imports:title')} back={back}>
        {isPending ? <SkeletonRows /> : <ErrorState error={error} onRetry={() => refetch()} />}
      </Page>
    );
  const step = stepOf(run, remap);
  return (
    <Page
      title={run.file_name}
      heading={
        <>
          <span className="truncate">{run.file_name}</span>
          <span className={css.headStatus}>
            <ImportStatusDot run={run} />
          </span>
        </>
      }
      back={back}
    >
      <div className={css.wizard} data-wide={step === 'map' || undefined}>
        <Steps now={step} />
        {step === 'map' && <MappingStep key={run.id} run={run} />}
        {step === 'run' && <ProgressStep run={run} />}
        {step === 'result' && <ResultStep run={run} onRemap={() => setRemap(true)} />}
      </div>
    </Page>
  );
}
