import { isComposing, Textarea } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asText } from '../base/value-text';
import type { EditorProps } from '../kind';

export function LongTextEditor(props: EditorProps) {
  return (
    <Textarea
      {...inputProps(props)}
      minRows={props.inCell ? 2 : 3}
      value={asText(props.value)}
      onChange={props.onChange}
      onKeyDown={(event) => {
        if (isComposing(event)) return;
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) props.onCommit?.();
        if (event.key === 'Escape') props.onCancel?.();
      }}
    />
  );
}
