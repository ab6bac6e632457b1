import { useFormat, useTranslation } from '@/i18n';
import { utcToZoned, zonedToUtc } from '@/lib/day';
import { DatePicker, TextInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import { asText } from '../base/value-text';
import type { EditorProps } from '../kind';

export function DatetimeEditor(props: EditorProps) {
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
        {...(props.size !== undefined && { size: props.size })}
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
