import { Pill } from '@/ui';
import { RecordMultiSelect } from '../base/record-select';
import { inputProps } from '../base/text-editor';
import { asList, asText, isRef } from '../base/value-text';
import { defineKind, type EditorProps, OPS } from '../kind';

function RelationManyEditor(props: EditorProps) {
  return (
    <RecordMultiSelect
      {...inputProps(props)}
      object={props.field.target ?? ''}
      value={asList(props.value).filter(isRef)}
      onChange={props.onChange}
      {...(props.inCell && props.onCommit && { onClosed: props.onCommit })}
    />
  );
}

export const relationManyKind = defineKind({
  type: 'relation_many',
  width: 200,
  sortable: false,
  operators: OPS.many,
  display: (value) =>
    asList(value).map((item) =>
      isRef(item) ? (
        <Pill key={item.id} color="gray">
          {item.title}
        </Pill>
      ) : (
        asText(item)
      ),
    ),
  text: (value) =>
    asList(value)
      .map((item) => (isRef(item) ? item.title : asText(item)))
      .join(', '),
  toWrite: (value) => asList(value).map((item) => (isRef(item) ? item.id : item)),
  Editor: RelationManyEditor,
});
