import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { TextInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import type { EditorProps } from '../kind';
import { parseSpan, spanText } from './span';

/** Hours and minutes as text; what cannot be read yet is said and not sent. */
export function DurationEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const { value, onChange } = props;
  const [text, setText] = useState(typeof value === 'number' ? spanText(value) : '');
  const wrong = text.trim() !== '' && parseSpan(text) === null;
  return (
    <TextInput
      {...inputProps(props)}
      placeholder="1:30"
      value={text}
      onChange={(next) => {
        setText(next);
        const seconds = parseSpan(next);
        if (next.trim() === '') onChange(null);
        else if (seconds !== null) onChange(seconds);
      }}
      onKeyDown={editorKeys(props)}
      error={wrong ? t('fields:duration.wrong') : props.error}
      autoComplete="off"
    />
  );
}
