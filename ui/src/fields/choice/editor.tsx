import { labelText, useLanguage } from '@/i18n';
import { Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import { offered, optionOf } from '../base/value-text';
import type { EditorProps } from '../kind';

export function ChoiceEditor(props: EditorProps) {
  const language = useLanguage();
  return (
    <Select
      {...inputProps(props)}
      options={offered(props.field, [optionOf(props.value, props.field)?.key]).map((option) => ({
        value: option.key,
        label: labelText(option.label, language, option.key),
        ...(option.color !== undefined && { color: option.color }),
      }))}
      value={optionOf(props.value, props.field)?.key ?? null}
      onChange={props.onChange}
      searchable={(props.field.options?.length ?? 0) > 7}
      clearable
      {...(props.inCell && { defaultOpened: true })}
      {...(props.inCell && props.onCommit && { onClosed: props.onCommit })}
    />
  );
}
