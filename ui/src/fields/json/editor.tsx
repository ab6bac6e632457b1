import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { Textarea } from '@/ui';
import { inputProps } from '../base/text-editor';
import { type EditorProps, isEmptyValue } from '../kind';

export function JsonEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const [text, setText] = useState(() => (isEmptyValue(props.value) ? '' : JSON.stringify(props.value, null, 2)));
  const [broken, setBroken] = useState(false);
  return (
    <Textarea
      {...inputProps(props)}
      error={broken ? t('fields:json.broken') : props.error}
      value={text}
      onChange={(next) => {
        setText(next);
        try {
          props.onChange(next.trim() === '' ? null : JSON.parse(next));
          setBroken(false);
        } catch {
          setBroken(true);
        }
      }}
    />
  );
}
