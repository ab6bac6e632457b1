import { isComposing, Textarea } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asText } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed } from '../kind';

function LongTextEditor(props: EditorProps) {
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

export const longTextKind = defineKind({
  type: 'long_text',
  width: 260,
  sortable: false,
  aggregate: [],
  operators: OPS.text,
  text: asText,
  display: (value) => asText(value).replace(/\s+/g, ' '),
  parse: (text) => parsed(text === '' ? null : text),
  Editor: LongTextEditor,
});
