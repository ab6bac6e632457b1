import { IconFlask, IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { type Definition, type RuleTrial, type TrialStep, useLookBack, useTrial } from '@/api';
import { FieldView, RecordSelect, useFieldContext } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, findObject, useObjects } from '@/metadata';
import { Button, Panel, Pill } from '@/ui';
import css from './automations.module.css';
import { numbered } from './draft';
import { MailCard } from './step-mail';

interface Props {
  definition: Definition;
  runAs: string;
  sound: boolean;
}

/** Tries a rule on a record without doing anything, and counts how often it would have begun. */
export function TryPanel({ definition, runAs, sound }: Props) {
  const { t } = useTranslation('automations');
  const fmt = useFormat();
  const trial = useTrial();
  const look = useLookBack();
  const [record, setRecord] = useState<{ id: string; title: string; object: string } | null>(null);
  const chosen = record?.object === definition.object ? record : null;
  const error = trial.error ?? look.error;
  const told = look.data;
  return (
    <Panel title={t('automations:try.title')}>
      <div className={css.form}>
        <div className={css.inlineForm}>
          <RecordSelect
            key={definition.object}
            label={t('automations:try.record')}
            object={definition.object}
            value={chosen}
            onChange={(ref) => setRecord(ref === null ? null : { ...ref, object: definition.object })}
          />
          <span className="row">
            <Button
              icon={<IconFlask size={15} />}
              disabled={!sound || chosen === null}
              loading={trial.isPending}
              onClick={() => chosen !== null && trial.mutate({ definition, run_as: runAs, record: chosen.id })}
            >
              {t('automations:try.run')}
            </Button>
            <Button
              icon={<IconHistory size={15} />}
              disabled={!sound}
              loading={look.isPending}
              onClick={() => look.mutate({ definition, run_as: runAs })}
            >
              {t('automations:try.look')}
            </Button>
          </span>
        </div>
        {!sound && <p className="muted">{t('automations:try.unsound')}</p>}
        {told !== undefined && (
          <p role="status">
            {t(told.now ? 'automations:try.now' : 'automations:try.looked', {
              runs: `${told.complete ? '' : '≥ '}${fmt.number(told.runs)}`,
              records: fmt.number(told.records),
            })}
          </p>
        )}
        {error !== null && (
          <p className={css.fault} role="alert">
            {error.message}
          </p>
        )}
        {trial.data !== undefined && <Result trial={trial.data} definition={definition} />}
      </div>
    </Panel>
  );
}

function Result({ trial, definition }: { trial: RuleTrial; definition: Definition }) {
  const { t } = useTranslation('automations');
  const numbers = numbered(definition.steps);
  return (
    <div className={css.form} role="status">
      <p>{t(trial.fits ? 'automations:try.fits' : 'automations:try.unfit')}</p>
      <ol className={css.lines}>
        {trial.steps.map((step, at) => (
          <li key={`${step.step}-${at}`}>
            <strong>
              {numbers.get(step.step)} {t(`automations:kind.${step.kind}`)}
            </strong>{' '}
            <Pill color={step.outcome === 'failed' ? 'red' : 'gray'}>{t(`automations:would.${step.outcome}`)}</Pill>
            <What step={step} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function What({ step }: { step: TrialStep }) {
  const { t } = useTranslation('automations');
  const fmt = useFormat();
  const label = useLabel();
  const context = useFieldContext();
  const object = findObject(useObjects(), step.object);
  return (
    <>
      {step.record !== null && <div className="muted">{step.record.title}</div>}
      {step.people.length > 0 && (
        <div className="muted">{step.people.map(({ title }) => title).join(t('automations:comma'))}</div>
      )}
      {step.text !== '' && <div>{step.text}</div>}
      {step.mail !== undefined && <MailCard mail={step.mail} />}
      {step.until !== null && <div className="muted">{t('automations:until', { at: fmt.datetime(step.until) })}</div>}
      {step.problem !== '' && <div className={css.fault}>{step.problem}</div>}
      {step.changes.length > 0 && (
        <ul className={css.changesOf}>
          {step.changes.map((change) => {
            const field = findField(object, change.field);
            if (field === undefined) return null;
            return (
              <li key={change.field}>
                {label(change.label, change.field)}:{' '}
                {step.record !== null && (
                  <>
                    <FieldView field={field} value={change.before} context={context} /> →{' '}
                  </>
                )}
                <FieldView field={field} value={change.after} context={context} />
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
