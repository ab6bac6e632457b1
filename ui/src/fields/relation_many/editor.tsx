import { RecordMultiSelect } from '../base/record-select';
import { inputProps } from '../base/text-editor';
import { asList, isRef } from '../base/value-text';
import type { EditorProps } from '../kind';

export function RelationManyEditor(props: EditorProps) {
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
