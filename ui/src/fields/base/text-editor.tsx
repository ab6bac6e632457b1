import type { KeyboardEvent } from 'react';
import { isComposing, TextInput, type TextInputProps } from '@/ui';
import type { EditorProps } from '../kind';
import { asText } from './value-text';

/** Enter saves and Escape gives up, except while an input method is composing. */
export function editorKeys({ onCommit, onCancel }: Pick<EditorProps, 'onCommit' | 'onCancel'>) {
  return (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter' && onCommit !== undefined) {
      event.preventDefault();
      onCommit();
    }
    if (event.key === 'Escape' && onCancel !== undefined) {
      event.stopPropagation();
      onCancel();
    }
  };
}

export const inputProps = ({
  label,
  description,
  error,
  required,
  disabled,
  autoFocus,
  inCell,
  size,
  ...rest
}: EditorProps) => ({
  label: inCell ? undefined : label,
  description,
  error,
  autoFocus: autoFocus ?? inCell ?? false,
  ...(required !== undefined && { required }),
  ...(disabled !== undefined && { disabled }),
  ...(size !== undefined && { size }),
  ...(rest['aria-label'] !== undefined && { 'aria-label': rest['aria-label'] }),
});

interface LineProps extends EditorProps {
  type: NonNullable<TextInputProps['type']>;
}
function LineEditor({ type, ...props }: LineProps) {
  return (
    <TextInput
      {...inputProps(props)}
      type={type}
      value={asText(props.value)}
      onChange={props.onChange}
      onKeyDown={editorKeys(props)}
      autoComplete="off"
    />
  );
}

/** The editors of everything that is one line of text. */
export const TextEditor = (props: EditorProps) => <LineEditor {...props} type="text" />;
export const PhoneEditor = (props: EditorProps) => <LineEditor {...props} type="tel" />;
export const EmailEditor = (props: EditorProps) => <LineEditor {...props} type="email" />;
export const UrlEditor = (props: EditorProps) => <LineEditor {...props} type="url" />;
