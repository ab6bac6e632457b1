import { RecordSelect } from '../base/record-select';
import { inputProps } from '../base/text-editor';
import { asText, isRef } from '../base/value-text';
import { defineKind, type EditorProps, OPS } from '../kind';

function RelationEditor(props: EditorProps) {
  return (
    <RecordSelect
      {...inputProps(props)}
      object={props.field.target ?? ''}
      value={isRef(props.value) ? props.value : null}
      onChange={props.onChange}
      {...(props.inCell && { defaultOpened: true })}
      {...(props.inCell && props.onCommit && { onClosed: props.onCommit })}
    />
  );
}

export const relationKind = defineKind({
  type: 'relation',
  width: 160,
  operators: OPS.choice,
  text: (value) => (isRef(value) ? value.title : asText(value)),
  toWrite: (value) => (isRef(value) ? value.id : (value ?? null)),
  Editor: RelationEditor,
});
