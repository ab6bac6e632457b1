import { NumberInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import type { EditorProps } from '../kind';

export function PercentEditor(props: EditorProps) {
  return (
    <NumberInput
      {...inputProps(props)}
      value={typeof props.value === 'number' ? props.value : null}
      onChange={props.onChange}
      onKeyDown={editorKeys(props)}
      rightSection={<span className="muted">%</span>}
      {...(props.field.scale !== undefined && { decimals: props.field.scale })}
    />
  );
}
