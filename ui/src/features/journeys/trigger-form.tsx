import { IconPlus, IconTrash } from '@tabler/icons-react';
import { JOURNEY_FEASTS, JOURNEY_TRIGGERS, type JourneyDefinition, type JourneyTrigger } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { ConditionBuilder } from '@/records/conditions';
import { Button, Checkbox, DatePicker, IconButton, NumberInput, Select, TextInput } from '@/ui';
import css from './journeys.module.css';
import { useNames } from './words';

interface Props {
  definition: JourneyDefinition;
  disabled: boolean;
  onChange: (change: Partial<JourneyDefinition>) => void;
}

const FIRST: { [key: string]: Partial<JourneyTrigger> } = {
  record: { object: 'order', change: 'created' },
  date: { field: 'birthday', yearly: true, days: 0, at: '09:00' },
  schedule: { every: 'day', at: '10:00' },
};

/** What lets people in. */
export function TriggerForm({ definition, disabled, onChange }: Props) {
  const { t } = useTranslation('journeys');
  const label = useLabel();
  const names = useNames();
  const trigger = definition.trigger;
  const set = (change: Partial<JourneyTrigger>) => onChange({ trigger: { ...trigger, ...change } });
  const without = (key: keyof JourneyTrigger) => {
    const { [key]: _, ...rest } = trigger;
    onChange({ trigger: rest as JourneyTrigger });
  };
  const segments = names.segments.map((one) => ({ value: one.key, label: one.label }));
  const time = (
    <TextInput
      label={t('journeys:trig.at')}
      placeholder="09:00"
      disabled={disabled}
      value={trigger.at ?? ''}
      onChange={(at) => set({ at })}
    />
  );
  return (
    <div className={css.form}>
      <Select
        label={t('journeys:trig.kind')}
        disabled={disabled}
        value={trigger.kind === '' ? null : trigger.kind}
        onChange={(kind) =>
          kind !== null && onChange({ trigger: { kind: kind as JourneyTrigger['kind'], ...FIRST[kind] } })
        }
        options={JOURNEY_TRIGGERS.map((value) => ({ value, label: t(`journeys:trigger.${value}`) }))}
      />
      {(trigger.kind === 'segment_entered' || trigger.kind === 'segment_left' || trigger.kind === 'schedule') && (
        <Select
          label={t('journeys:trig.segment')}
          searchable
          clearable={trigger.kind === 'schedule'}
          disabled={disabled}
          placeholder={trigger.kind === 'schedule' ? t('journeys:trig.everybody') : ''}
          value={trigger.segment ?? null}
          onChange={(segment) => (segment === null ? without('segment') : set({ segment }))}
          options={segments}
        />
      )}
      {trigger.kind === 'event' && <EventForm trigger={trigger} disabled={disabled} set={set} />}
      {trigger.kind === 'record' && (
        <>
          <div className={css.line}>
            <Select
              label={t('journeys:trig.object')}
              disabled={disabled}
              value={trigger.object ?? null}
              onChange={(object) =>
                object !== null &&
                onChange({ trigger: { kind: 'record', object, change: trigger.change ?? 'created' } })
              }
              options={names.objects.map((one) => ({ value: one.key, label: label(one.label) }))}
            />
            <Select
              label={t('journeys:trig.change')}
              disabled={disabled}
              value={trigger.change ?? 'created'}
              onChange={(change) => change !== null && set({ change })}
              options={(['created', 'changed'] as const).map((value) => ({
                value,
                label: t(`journeys:change.${value}`),
              }))}
            />
          </div>
          {trigger.object !== undefined && (
            <ConditionBuilder
              key={trigger.object}
              object={trigger.object}
              where={trigger.where ?? null}
              onChange={(where) => (where === null ? without('where') : set({ where }))}
            />
          )}
        </>
      )}
      {trigger.kind === 'date' && (
        <>
          <div className={css.line}>
            <Select
              label={t('journeys:trig.field')}
              disabled={disabled}
              value={trigger.field ?? null}
              onChange={(field) => field !== null && set({ field })}
              options={names.fields
                .filter((one) => ['date', 'datetime', 'birthday'].includes(one.type))
                .map((one) => ({ value: one.key, label: label(one.label) }))}
            />
            <NumberInput
              label={t('journeys:trig.days')}
              description={t('journeys:trig.daysText')}
              disabled={disabled}
              min={-365}
              max={365}
              value={trigger.days ?? 0}
              onChange={(days) => set({ days: days ?? 0 })}
            />
            {time}
          </div>
          <Checkbox
            label={t('journeys:trig.yearly')}
            disabled={disabled}
            checked={trigger.yearly === true}
            onChange={(yearly) => set({ yearly })}
          />
        </>
      )}
      {trigger.kind === 'schedule' && (
        <div className={css.line}>
          <Select
            label={t('journeys:trig.every')}
            disabled={disabled}
            value={trigger.every ?? 'day'}
            onChange={(every) => every !== null && set({ every })}
            options={(['once', 'day', 'week', 'month', 'festival'] as const).map((value) => ({
              value,
              label: t(`journeys:every.${value}`),
            }))}
          />
          {trigger.every === 'once' && (
            <DatePicker
              label={t('journeys:trig.date')}
              disabled={disabled}
              value={trigger.date ?? null}
              onChange={(date) => set({ date: date ?? '' })}
            />
          )}
          {(trigger.every === 'week' || trigger.every === 'month') && (
            <NumberInput
              label={t(`journeys:trig.on_${trigger.every}`)}
              disabled={disabled}
              min={1}
              max={trigger.every === 'week' ? 7 : 31}
              value={trigger.on ?? null}
              onChange={(on) => set({ on: on ?? 1 })}
            />
          )}
          {trigger.every === 'festival' && (
            <>
              <Select
                label={t('journeys:trig.feast')}
                disabled={disabled}
                value={trigger.feast ?? null}
                onChange={(feast) => feast !== null && set({ feast })}
                options={JOURNEY_FEASTS.map((value) => ({ value, label: t(`journeys:feast.${value}`) }))}
              />
              <NumberInput
                label={t('journeys:trig.days')}
                description={t('journeys:trig.daysText')}
                disabled={disabled}
                min={-60}
                max={60}
                value={trigger.days ?? 0}
                onChange={(days) => set({ days: days ?? 0 })}
              />
            </>
          )}
          {time}
        </div>
      )}
      {trigger.kind === 'api' && <p className={css.note}>{t('journeys:trig.apiText')}</p>}
      <h3>{t('journeys:trig.who')}</h3>
      <ConditionBuilder
        object="customer"
        where={definition.where ?? null}
        onChange={(where) => onChange({ where: where ?? undefined } as Partial<JourneyDefinition>)}
      />
    </div>
  );
}

interface EventProps {
  trigger: JourneyTrigger;
  disabled: boolean;
  set: (change: Partial<JourneyTrigger>) => void;
}
function EventForm({ trigger, disabled, set }: EventProps) {
  const { t } = useTranslation('journeys');
  const list = trigger.match ?? [];
  return (
    <>
      <div className={css.line}>
        <TextInput
          label={t('journeys:form.event')}
          placeholder="Product Added"
          disabled={disabled}
          value={trigger.event ?? ''}
          onChange={(event) => set({ event })}
        />
        <TextInput
          label={t('journeys:trig.entity')}
          placeholder="cart_id"
          disabled={disabled}
          value={trigger.entity ?? ''}
          onChange={(entity) => set({ entity })}
        />
      </div>
      {list.map((match, index) => {
        const change = (part: Partial<typeof match>) =>
          set({ match: list.map((each, at) => (at === index ? { ...each, ...part } : each)) });
        return (
          <div key={String(index)} className={css.line}>
            <TextInput
              label={t('journeys:trig.property')}
              disabled={disabled}
              value={match.property}
              onChange={(property) => change({ property })}
            />
            <Select
              label={t('journeys:trig.op')}
              disabled={disabled}
              value={match.op}
              onChange={(op) => op !== null && change({ op })}
              options={['=', '!=', '>', '<', 'has'].map((value) => ({
                value,
                label: value === 'has' ? t('journeys:trig.has') : value,
              }))}
            />
            <TextInput
              label={t('journeys:form.value')}
              disabled={disabled || match.op === 'has'}
              value={match.value}
              onChange={(value) => change({ value })}
            />
            <span>
              <IconButton
                label={t('journeys:trig.dropMatch')}
                icon={<IconTrash size={16} />}
                onClick={() => set({ match: list.filter((_, at) => at !== index) })}
              />
            </span>
          </div>
        );
      })}
      {!disabled && (
        <span>
          <Button
            icon={<IconPlus size={15} />}
            onClick={() => set({ match: [...list, { property: '', op: '=', value: '' }] })}
          >
            {t('journeys:trig.addMatch')}
          </Button>
        </span>
      )}
    </>
  );
}
