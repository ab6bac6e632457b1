import { useTranslation } from '@/i18n';
import { Checkbox, Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import type { EditorProps } from '../kind';

export function BoolEditor(props: EditorProps) {
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
