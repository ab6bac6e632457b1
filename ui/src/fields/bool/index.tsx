import { useTranslation } from '@/i18n';
import { Checkbox, Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

function BoolEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  if (props.inCell)
    return (
      <Select
        {...inputProps(props)}
        options={[
          { value: 'true', label: t('fields:yes') },
          { value: 'false', label: t('fields:no') },
        ]}
        value={typeof props.value === 'boolean' ? String(props.value) : null}
        onChange={(value) => props.onChange(value === null ? null : value === 'true')}
        clearable
        defaultOpened
        {...(props.onCommit && { onClosed: props.onCommit })}
      />
    );
  const { label, description, disabled } = inputProps(props);
  return (
    <Checkbox
      label={label}
      description={description}
      checked={props.value === true}
      onChange={props.onChange}
      {...(disabled !== undefined && { disabled })}
    />
  );
}

const YES = new Set(['true', '1', 'yes', 'y', 'on', '\u662f', '\u6709', '\u2713']);
const NO = new Set(['false', '0', 'no', 'n', 'off', '\u5426', '\u65e0']);

export const boolKind = defineKind({
  type: 'bool',
  width: 90,
  aggregate: [],
  operators: OPS.bool,
  text(value, _, { t }) {
    if (typeof value !== 'boolean') return '';
    return value ? t('fields:yes') : t('fields:no');
  },
  parse(text) {
    const word = text.trim().toLowerCase();
    if (word === '') return parsed(null);
    if (YES.has(word)) return parsed(true);
    return NO.has(word) ? parsed(false) : refused;
  },
  Editor: BoolEditor,
});
