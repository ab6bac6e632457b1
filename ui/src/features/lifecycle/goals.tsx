import { useState } from 'react';
import { errorText, type LifecycleGoal, type LifecycleReport, useSetStageGoal } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, DatePicker, EmptyState, Modal, NumberInput, Panel, Pill, RadioGroup, Select, toast } from '@/ui';
import css from './lifecycle.module.css';

function GoalDialog({ report, onClose }: { report: LifecycleReport; onClose: () => void }) {
  const { t } = useTranslation(['lifecycle', 'common']);
  const label = useLabel();
  const save = useSetStageGoal();
  const [stage, setStage] = useState(report.stages[0]?.key ?? '');
  const [kind, setKind] = useState<'share' | 'conversion'>('share');
  const [target, setTarget] = useState<number | null>(null);
  const [below, setBelow] = useState(false);
  const [due, setDue] = useState<string | null>(null);
  const growing = report.stages.find((one) => one.key === stage)?.phase === 'growing';
  const submit = () =>
    save.mutate(
      {
        classification: report.classification,
        class: stage,
        kind: growing ? kind : 'share',
        target: (target ?? 0) / 100,
        below,
        due: due ?? '',
      },
      {
        onSuccess: () => {
          toast.ok(t('common:saved'));
          onClose();
        },
      },
    );
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('lifecycle:goal.new')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button
            kind="primary"
            loading={save.isPending}
            disabled={target === null || target <= 0 || due === null}
            onClick={submit}
          >
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <Select
          label={t('lifecycle:stage')}
          value={stage}
          onChange={(next) => setStage(next ?? '')}
          options={report.stages.map((one) => ({ value: one.key, label: label(one.label, one.key) }))}
        />
        {growing && (
          <RadioGroup
            label={t('lifecycle:goal.kind')}
            value={kind}
            onChange={(next) => setKind(next as 'share' | 'conversion')}
            options={(['share', 'conversion'] as const).map((value) => ({
              value,
              label: t(`lifecycle:goal.${value}`),
            }))}
          />
        )}
        <RadioGroup
          label={t('lifecycle:goal.direction')}
          value={below ? 'below' : 'above'}
          onChange={(next) => setBelow(next === 'below')}
          options={(['above', 'below'] as const).map((value) => ({ value, label: t(`lifecycle:goal.${value}`) }))}
        />
        <NumberInput label={t('lifecycle:goal.target')} value={target} onChange={setTarget} min={0} max={100} />
        <DatePicker label={t('lifecycle:goal.due')} value={due} onChange={setDue} />
        {save.error !== null && <p role="alert">{errorText(save.error)}</p>}
      </div>
    </Modal>
  );
}

const reached = (goal: LifecycleGoal): boolean =>
  goal.actual !== null && (goal.below ? goal.actual <= goal.target : goal.actual >= goal.target);

/** What stages are to come to, with what they are now. */
export function Goals({ report, only }: { report: LifecycleReport; only?: string }) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  const remove = useSetStageGoal();
  const [adding, setAdding] = useState(false);
  const goals = report.goals.filter((goal) => only === undefined || goal.class === only);
  const name = (key: string) => label(report.stages.find((one) => one.key === key)?.label, key);
  const state = (goal: LifecycleGoal) => {
    if (reached(goal)) return <Pill color="green">{t('lifecycle:goal.reached')}</Pill>;
    if (goal.due < (report.now ?? '')) return <Pill color="red">{t('lifecycle:goal.missed')}</Pill>;
    return <Pill color="blue">{t('lifecycle:goal.open')}</Pill>;
  };
  return (
    <Panel
      title={t('lifecycle:goals')}
      aside={
        can('classification.write') && (
          <Button kind="subtle" onClick={() => setAdding(true)}>
            {t('lifecycle:goal.new')}
          </Button>
        )
      }
    >
      {goals.length === 0 && (
        <EmptyState compact cause="none" title={t('lifecycle:goal.none')} text={t('lifecycle:goal.noneText')} />
      )}
      {goals.map((goal) => (
        <div key={goal.class + goal.kind} className={css.goal}>
          <strong>{t(`lifecycle:goal.of.${goal.kind}`, { stage: name(goal.class) })}</strong>
          <span>
            {t(goal.below ? 'lifecycle:goal.atMost' : 'lifecycle:goal.atLeast', {
              target: fmt.percent(goal.target),
              due: fmt.date(goal.due),
            })}
          </span>
          <span>{t('lifecycle:goal.actual', { now: goal.actual === null ? '\u2013' : fmt.percent(goal.actual) })}</span>
          <span className="muted">
            {t('lifecycle:goal.began', { start: fmt.percent(goal.start), day: fmt.date(goal.set) })}
          </span>
          {state(goal)}
          {can('classification.write') && (
            <Button
              kind="subtle"
              onClick={() =>
                remove.mutate({
                  classification: report.classification,
                  class: goal.class,
                  kind: goal.kind,
                  target: 0,
                  below: goal.below,
                })
              }
            >
              {t('lifecycle:goal.remove')}
            </Button>
          )}
        </div>
      ))}
      {adding && <GoalDialog report={report} onClose={() => setAdding(false)} />}
    </Panel>
  );
}
