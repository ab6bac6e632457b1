import type { Wait } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { NumberInput, SegmentedControl, Select, TextInput } from '@/ui';
import css from './automations.module.css';
import { faultAt, faultsAt } from './draft';
import { optionsOf } from './parts';
import type { StepProps } from './step-types';
import { Where } from './step-where';

const UNITS = ['minute', 'hour', 'day'] as const;

export function WaitForm(props: StepProps) {
  const { definition, step, faults, onChange } = props;
  const { t } = useTranslation('automations');
  const label = useLabel();
  const object = findObject(useObjects(), definition.object);
  const wait: Wait = step.wait ?? { kind: 'time', amount: 1, unit: 'day' };
  const set = (next: Partial<Wait>) => onChange({ ...step, wait: { ...wait, ...next } });
  const days = (object?.fields ?? []).filter(
    ({ type, formula }) => formula === undefined && (type === 'date' || type === 'datetime'),
  );
  const kinds = {
    time: { kind: 'time', amount: 1, unit: 'day' },
    date: { kind: 'date', field: '', amount: 0, at: '09:00' },
    condition: { kind: 'condition', amount: 3, unit: 'day', expired: 'continue' },
  } as const;
  const own = faultsAt(faults, 'wait');
  return (
    <>
      <SegmentedControl
        label={t('automations:wait.label')}
        value={wait.kind}
        onChange={(kind) => onChange({ ...step, wait: { ...kinds[kind] } })}
        options={(['time', 'date', 'condition'] as const).map((kind) => ({
          value: kind,
          label: t(`automations:wait.kind.${kind}`),
        }))}
      />
      {wait.kind === 'condition' && (
        <Where {...props} where={wait.where ?? null} at="wait.where" onWhere={(where) => set({ where })} />
      )}
      <div className={css.inlineForm}>
        {wait.kind === 'date' && (
          <Select
            label={t('automations:wait.field')}
            options={optionsOf(days, label)}
            value={wait.field || null}
            onChange={(field) => set({ field: field ?? '' })}
            error={faultAt(own, 'field')}
          />
        )}
        <div className={css.small}>
          <NumberInput
            label={t(`automations:wait.amount.${wait.kind}`)}
            value={wait.amount ?? 0}
            decimals={0}
            onChange={(amount) => set({ amount: amount ?? 0 })}
            error={faultAt(own, 'amount')}
          />
        </div>
        {wait.kind !== 'date' && (
          <div className={css.small}>
            <Select
              label={t('automations:wait.unit')}
              options={UNITS.map((unit) => ({ value: unit, label: t(`automations:unit.${unit}`) }))}
              value={wait.unit ?? 'day'}
              onChange={(unit) => unit !== null && set({ unit: unit as (typeof UNITS)[number] })}
            />
          </div>
        )}
        {wait.kind === 'date' && (
          <div className={css.small}>
            <TextInput
              type="time"
              label={t('automations:trigger.at')}
              value={wait.at ?? '09:00'}
              onChange={(at) => set({ at })}
              error={faultAt(own, 'at')}
            />
          </div>
        )}
        {wait.kind === 'condition' && (
          <Select
            label={t('automations:wait.expired')}
            options={(['continue', 'stop'] as const).map((each) => ({
              value: each,
              label: t(`automations:wait.then.${each}`),
            }))}
            value={wait.expired ?? 'continue'}
            onChange={(expired) => set({ expired: expired === 'stop' ? 'stop' : 'continue' })}
          />
        )}
      </div>
    </>
  );
}
