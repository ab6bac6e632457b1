import { RecordSelect } from '../base/record-select';
import { inputProps } from '../base/text-editor';
import { isRef } from '../base/value-text';
import type { EditorProps } from '../kind';

export function RelationEditor(props: EditorProps) {
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
