import { useFormat, useTranslation } from '@/i18n';
import { parseDay, utcToZoned, zonedToUtc } from '@/lib/day';
import { DatePicker, TextInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import { asText } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

function DatetimeEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const { timeZone, today } = useFormat();
  const iso = asText(props.value);
  const { day, clock } = iso === '' ? { day: null, clock: '' } : utcToZoned(iso, timeZone);
  const set = (nextDay: string | null, nextClock: string) =>
    props.onChange(nextDay === null ? null : zonedToUtc(nextDay, nextClock || '00:00', timeZone));
  return (
    <div className="row" style={{ alignItems: 'flex-end' }}>
      <div className="grow">
        <DatePicker {...inputProps(props)} value={day} onChange={(next) => set(next, clock)} clearable />
      </div>
      <TextInput
        type="time"
        aria-label={t('fields:time')}
        value={clock}
        onChange={(next) => set(day ?? today(), next)}
        onKeyDown={editorKeys(props)}
        style={{ width: 96 }}
      />
    </div>
  );
}

const WITH_TIME = /^(\S+)[ T](\d{1,2}):(\d{2})/;

export const datetimeKind = defineKind({
  type: 'datetime',
  width: 150,
  aggregate: ['min', 'max'],
  operators: OPS.date,
  text: (value, _, { fmt }) => fmt.datetime(asText(value)),
  parse(text, _, { fmt }) {
    if (text.trim() === '') return parsed(null);
    const found = WITH_TIME.exec(text.trim());
    const day = parseDay(found?.[1] ?? text);
    if (day === null) return refused;
    const clock = found === null ? '00:00' : `${found[2]?.padStart(2, '0')}:${found[3]}`;
    return parsed(zonedToUtc(day, clock, fmt.timeZone));
  },
  Editor: DatetimeEditor,
});
