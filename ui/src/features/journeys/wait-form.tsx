import type { JourneyWait } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { DatePicker, NumberInput, Select, TextInput } from '@/ui';
import css from './journeys.module.css';
import type { StepProps } from './step-form';
import { useNames } from './words';

const MODES = ['span', 'purchase', 'event', 'field', 'date'] as const;
type Mode = (typeof MODES)[number];
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7] as const;

const modeOf = (wait: JourneyWait): Mode => {
  if (wait.event === 'purchase') return 'purchase';
  if (wait.event !== undefined) return 'event';
  if (wait.field !== undefined) return 'field';
  return wait.date === undefined ? 'span' : 'date';
};

const EMPTY: { [M in Mode]: JourneyWait } = {
  span: { days: 1 },
  purchase: { days: 7, event: 'purchase' },
  event: { days: 3, event: '' },
  field: { field: '', at: '09:00' },
  date: { date: '' },
};

/** How long a step waits. */
export function WaitForm({ step, disabled, onChange }: StepProps) {
  const { t } = useTranslation('journeys');
  const label = useLabel();
  const { fields } = useNames();
  const wait = step.wait ?? {};
  const mode = modeOf(wait);
  const set = (change: Partial<JourneyWait>) => onChange({ ...step, wait: { ...wait, ...change } });
  const choose = (next: Mode) => {
    const { ways: _, ...rest } = step;
    const awaited = next === 'purchase' || next === 'event';
    const ways = step.ways ?? [{ key: 'came', next: step.next ?? '' }];
    onChange({ ...rest, wait: EMPTY[next], ...(awaited && { ways }) });
  };
  return (
    <>
      <Select
        label={t('journeys:wait.mode')}
        disabled={disabled}
        value={mode}
        onChange={(next) => next !== null && choose(next as Mode)}
        options={MODES.map((value) => ({ value, label: t(`journeys:wait.${value}`) }))}
      />
      {mode === 'event' && (
        <TextInput
          label={t('journeys:form.event')}
          disabled={disabled}
          value={wait.event ?? ''}
          onChange={(event) => set({ event })}
        />
      )}
      {mode === 'field' && (
        <Select
          label={t('journeys:form.field')}
          disabled={disabled}
          value={wait.field ?? null}
          onChange={(field) => field !== null && set({ field })}
          options={fields
            .filter((one) => ['date', 'datetime', 'birthday'].includes(one.type))
            .map((one) => ({ value: one.key, label: label(one.label) }))}
        />
      )}
      {mode === 'date' && (
        <DatePicker
          label={t('journeys:wait.date')}
          disabled={disabled}
          value={wait.date ?? null}
          onChange={(date) => set({ date: date ?? '' })}
        />
      )}
      {mode !== 'field' && mode !== 'date' && (
        <div className={css.line}>
          {(['days', 'hours', 'minutes'] as const).map((part) => (
            <NumberInput
              key={part}
              label={t(`journeys:wait.${part}`)}
              min={0}
              max={730}
              disabled={disabled}
              value={wait[part] ?? 0}
              onChange={(value) => set({ [part]: value ?? 0 })}
            />
          ))}
        </div>
      )}
      {(mode === 'span' || mode === 'field') && (
        <div className={css.line}>
          <TextInput
            label={t('journeys:wait.at')}
            placeholder="09:00"
            disabled={disabled}
            value={wait.at ?? ''}
            onChange={(at) => {
              const { at: _, ...rest } = wait;
              onChange({ ...step, wait: at === '' ? rest : { ...rest, at } });
            }}
          />
          {mode === 'span' && (
            <Select
              label={t('journeys:wait.weekday')}
              clearable
              disabled={disabled}
              value={wait.weekdays?.[0] === undefined ? null : String(wait.weekdays[0])}
              onChange={(day) => {
                const { weekdays: _, ...rest } = wait;
                onChange({ ...step, wait: day === null ? rest : { ...rest, weekdays: [Number(day)] } });
              }}
              options={WEEKDAYS.map((day) => ({ value: String(day), label: t(`journeys:weekday.${day}`) }))}
            />
          )}
        </div>
      )}
    </>
  );
}
