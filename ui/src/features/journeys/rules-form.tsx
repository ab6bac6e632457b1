import type { JourneyDefinition } from '@/api';
import { useTranslation } from '@/i18n';
import { ConditionBuilder } from '@/records/conditions';
import { Checkbox, NumberInput, Panel, Select, TextInput } from '@/ui';
import css from './journeys.module.css';

interface Props {
  definition: JourneyDefinition;
  disabled: boolean;
  onChange: (change: Partial<JourneyDefinition>) => void;
}

/** Entering again, bounds, whom chance holds back, the goal and the exits. */
export function RulesForm({ definition: d, disabled, onChange }: Props) {
  const { t } = useTranslation('journeys');
  const goal = d.goal.kind === '' ? 'none' : d.goal.kind;
  return (
    <Panel title={t('journeys:rules.title')}>
      <div className={css.form}>
        <div className={css.line}>
          <Select
            label={t('journeys:rules.reentry')}
            disabled={disabled}
            value={d.reentry.kind}
            onChange={(kind) => kind !== null && onChange({ reentry: { kind, ...(kind === 'after' && { days: 30 }) } })}
            options={(['once', 'after', 'always'] as const).map((value) => ({
              value,
              label: t(`journeys:rules.re_${value}`),
            }))}
          />
          {d.reentry.kind === 'after' && (
            <NumberInput
              label={t('journeys:rules.afterDays')}
              min={1}
              max={730}
              disabled={disabled}
              value={d.reentry.days ?? 30}
              onChange={(days) => onChange({ reentry: { kind: 'after', days: days ?? 1 } })}
            />
          )}
        </div>
        <div className={css.line}>
          <NumberInput
            label={t('journeys:rules.perDay')}
            min={0}
            disabled={disabled}
            value={d.per_day ?? 0}
            onChange={(n) => onChange({ per_day: n ?? 0 })}
          />
          <NumberInput
            label={t('journeys:rules.total')}
            min={0}
            disabled={disabled}
            value={d.total ?? 0}
            onChange={(n) => onChange({ total: n ?? 0 })}
          />
        </div>
        <NumberInput
          label={t('journeys:rules.holdout')}
          description={t('journeys:rules.holdoutText')}
          suffix="%"
          min={0}
          max={50}
          disabled={disabled}
          value={d.holdout}
          onChange={(n) => onChange({ holdout: n ?? 0 })}
        />
        <div className={css.line}>
          <Select
            label={t('journeys:rules.goal')}
            disabled={disabled}
            value={goal}
            onChange={(kind) =>
              kind !== null &&
              onChange({
                goal: { kind, days: d.goal.days ?? 30 },
                exit: { ...d.exit, goal: kind !== 'none' && d.exit.goal === true },
              })
            }
            options={(['none', 'purchase', 'event', 'condition'] as const).map((value) => ({
              value,
              label: t(`journeys:rules.goal_${value}`),
            }))}
          />
          {goal !== 'none' && (
            <NumberInput
              label={t('journeys:rules.goalDays')}
              min={1}
              max={365}
              disabled={disabled}
              value={d.goal.days ?? 30}
              onChange={(days) => onChange({ goal: { ...d.goal, days: days ?? 1 } })}
            />
          )}
        </div>
        {goal === 'event' && (
          <TextInput
            label={t('journeys:form.event')}
            disabled={disabled}
            value={d.goal.event ?? ''}
            onChange={(event) => onChange({ goal: { ...d.goal, event } })}
          />
        )}
        {goal === 'condition' && (
          <ConditionBuilder
            object="customer"
            where={d.goal.where ?? null}
            onChange={(where) => {
              const { where: _, ...rest } = d.goal;
              onChange({ goal: where === null ? rest : { ...rest, where } });
            }}
          />
        )}
        {goal !== 'none' && (
          <Checkbox
            label={t('journeys:rules.exitGoal')}
            disabled={disabled}
            checked={d.exit.goal === true}
            onChange={(on) => onChange({ exit: { ...d.exit, goal: on } })}
          />
        )}
        {d.trigger.segment !== undefined && d.trigger.kind !== 'segment_left' && (
          <Checkbox
            label={t('journeys:rules.exitSegment')}
            disabled={disabled}
            checked={d.exit.segment === true}
            onChange={(on) => onChange({ exit: { ...d.exit, segment: on } })}
          />
        )}
      </div>
    </Panel>
  );
}
