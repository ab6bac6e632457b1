import type { BirthdayValue } from '@/api';
import { useTranslation } from '@/i18n';
import { NumberInput, Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import type { EditorProps } from '../kind';
import { asBirthday, EMPTY } from './value';

const numbers = (last: number) =>
  Array.from({ length: last }, (_, at) => ({ value: String(at + 1), label: String(at + 1) }));

export function BirthdayEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const birthday = asBirthday(props.value);
  const set = (change: Partial<BirthdayValue>) => props.onChange({ ...EMPTY, ...birthday, ...change });
  const { label, disabled, size } = inputProps(props);
  const sized = size === undefined ? {} : { size };
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
      {label !== undefined && <legend style={{ marginBottom: 5, padding: 0, fontWeight: 500 }}>{label}</legend>}
      <div style={{ display: 'grid', gap: 6, gridTemplateColumns: 'repeat(auto-fit, minmax(112px, 1fr))' }}>
        <Select
          {...sized}
          aria-label={t('fields:birthday.calendar')}
          options={[
            { value: 'solar', label: t('fields:birthday.solar') },
            { value: 'lunar', label: t('fields:birthday.lunar') },
          ]}
          value={birthday?.calendar ?? 'solar'}
          onChange={(calendar) => set({ calendar: calendar === 'lunar' ? 'lunar' : 'solar' })}
          disabled={disabled ?? false}
        />
        <NumberInput
          {...sized}
          aria-label={t('fields:birthday.year')}
          placeholder={t('fields:birthday.year')}
          value={birthday?.year ?? null}
          min={1900}
          max={2100}
          decimals={0}
          onChange={(year) => year !== (birthday?.year ?? null) && set({ year })}
        />
        <Select
          {...sized}
          aria-label={t('fields:birthday.month')}
          placeholder={t('fields:birthday.month')}
          options={numbers(12)}
          value={birthday === null ? null : String(birthday.month)}
          onChange={(month) => set({ month: Number(month) })}
        />
        <Select
          {...sized}
          aria-label={t('fields:birthday.day')}
          placeholder={t('fields:birthday.day')}
          options={numbers(birthday?.calendar === 'lunar' ? 30 : 31)}
          value={birthday === null ? null : String(birthday.day)}
          onChange={(day) => set({ day: Number(day) })}
        />
      </div>
    </fieldset>
  );
}
