import { NumberInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import { plainNumber } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

function NumberEditor(props: EditorProps) {
  return (
    <NumberInput
      {...inputProps(props)}
      value={typeof props.value === 'number' ? props.value : null}
      onChange={props.onChange}
      onKeyDown={editorKeys(props)}
      {...(props.field.scale !== undefined && { decimals: props.field.scale })}
    />
  );
}

export const numberKind = defineKind({
  type: 'number',
  align: 'right',
  width: 110,
  aggregate: ['sum', 'avg', 'min', 'max', 'distinct'],
  operators: OPS.number,
  text(value, field, { fmt }) {
    if (typeof value !== 'number') return '';
    return field.unit?.en === 'share' ? fmt.percent(value) : fmt.number(value, field.scale ?? 4);
  },
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const bare = plainNumber(text);
    return bare === null ? refused : parsed(Number(bare));
  },
  Editor: NumberEditor,
});
