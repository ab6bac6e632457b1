import { AnyRecordSelect } from '../base/any-record-select';
import { inputProps } from '../base/text-editor';
import { isRef } from '../base/value-text';
import type { EditorProps } from '../kind';

export function RecordEditor(props: EditorProps) {
  return (
    <AnyRecordSelect
      {...inputProps(props)}
      value={isRef(props.value) ? props.value : null}
      onChange={props.onChange}
      {...(props.inCell && { defaultOpened: true })}
      {...(props.inCell && props.onCommit && { onClosed: props.onCommit })}
    />
  );
}
