import { labelText, useLanguage } from '@/i18n';
import { MultiSelect } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asList, offered } from '../base/value-text';
import type { EditorProps } from '../kind';

export function MultiChoiceEditor(props: EditorProps) {
  const language = useLanguage();
  return (
    <MultiSelect
      {...inputProps(props)}
      options={offered(props.field, asList(props.value)).map((option) => ({
        value: option.key,
        label: labelText(option.label, language, option.key),
        ...(option.color !== undefined && { color: option.color }),
      }))}
      value={asList(props.value).map(String)}
      onChange={props.onChange}
      searchable
      {...(props.inCell && { defaultOpened: true })}
      {...(props.inCell && props.onCommit && { onClosed: props.onCommit })}
    />
  );
}
