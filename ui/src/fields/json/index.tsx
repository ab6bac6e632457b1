import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { Textarea } from '@/ui';
import { inputProps } from '../base/text-editor';
import { defineKind, type EditorProps, isEmptyValue, OPS, parsed, refused } from '../kind';

function JsonEditor(props: EditorProps) {
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

export const jsonKind = defineKind({
  type: 'json',
  width: 180,
  sortable: false,
  aggregate: [],
  operators: OPS.presence,
  text: (value) => (isEmptyValue(value) ? '' : JSON.stringify(value)),
  parse(text) {
    if (text.trim() === '') return parsed(null);
    try {
      return parsed(JSON.parse(text));
    } catch {
      return refused;
    }
  },
  Editor: JsonEditor,
});
