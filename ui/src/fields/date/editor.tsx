import { DatePicker } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asText } from '../base/value-text';
import type { EditorProps } from '../kind';

export function DateEditor(props: EditorProps) {
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
