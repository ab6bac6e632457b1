import type { BirthdayValue } from '@/api';
import { useTranslation } from '@/i18n';
import { parseDay } from '@/lib/day';
import { NumberInput, Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import { isObject } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

const asBirthday = (value: unknown): BirthdayValue | null =>
  isObject(value) && typeof value.month === 'number' ? (value as unknown as BirthdayValue) : null;
const EMPTY: BirthdayValue = { calendar: 'solar', year: null, month: 1, day: 1, leap: false };

const numbers = (last: number) =>
  Array.from({ length: last }, (_, at) => ({ value: String(at + 1), label: String(at + 1) }));

function BirthdayEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const birthday = asBirthday(props.value);
  const set = (change: Partial<BirthdayValue>) => props.onChange({ ...EMPTY, ...birthday, ...change });
  const { label, disabled } = inputProps(props);
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
      {label !== undefined && <legend className="mantine-InputWrapper-label">{label}</legend>}
      <div className="row" style={{ gap: 6 }}>
        <Select
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
          aria-label={t('fields:birthday.year')}
          placeholder={t('fields:birthday.year')}
          value={birthday?.year ?? null}
          min={1900}
          max={2100}
          decimals={0}
          onChange={(year) => year !== (birthday?.year ?? null) && set({ year })}
        />
        <Select
          aria-label={t('fields:birthday.month')}
          placeholder={t('fields:birthday.month')}
          options={numbers(12)}
          value={birthday === null ? null : String(birthday.month)}
          onChange={(month) => set({ month: Number(month) })}
        />
        <Select
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

export const birthdayKind = defineKind({
  type: 'birthday',
  width: 140,
  sortable: false,
  aggregate: [],
  operators: OPS.birthday,
  text(value, _, { t }) {
    const birthday = asBirthday(value);
    if (birthday === null) return '';
    const pad = (part: number) => String(part).padStart(2, '0');
    const day = `${birthday.year === null ? '' : `${birthday.year}-`}${pad(birthday.month)}-${pad(birthday.day)}`;
    if (birthday.calendar === 'solar') return day;
    return t(birthday.leap ? 'fields:birthday.asLunarLeap' : 'fields:birthday.asLunar', { day });
  },
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const short = /^(\d{1,2})-(\d{1,2})$/.exec(text.trim());
    if (short !== null) return parsed({ ...EMPTY, month: Number(short[1]), day: Number(short[2]) });
    const day = parseDay(text);
    if (day === null) return refused;
    const [year, month, date] = day.split('-').map(Number);
    return parsed({ ...EMPTY, year, month, day: date });
  },
  Editor: BirthdayEditor,
});
