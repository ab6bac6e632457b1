import { parseDay } from '@/lib/day';
import { DatePicker } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asText } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

function DateEditor(props: EditorProps) {
  return (
    <DatePicker
      {...inputProps(props)}
      value={asText(props.value) || null}
      onChange={(value) => {
        props.onChange(value);
        if (props.inCell) props.onCommit?.();
      }}
      clearable
      {...(props.inCell && { defaultOpened: true })}
    />
  );
}

export const dateKind = defineKind({
  type: 'date',
  width: 120,
  aggregate: ['min', 'max', 'distinct'],
  operators: OPS.date,
  text: (value, _, { fmt }) => fmt.date(asText(value)),
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const day = parseDay(text);
    return day === null ? refused : parsed(day);
  },
  Editor: DateEditor,
});
