import { labelText, useLanguage } from '@/i18n';
import { Dot, Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import { findOption, optionOf, optionText } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

function ChoiceEditor(props: EditorProps) {
  const language = useLanguage();
  return (
    <Select
      {...inputProps(props)}
      options={(props.field.options ?? []).map((option) => ({
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

export const choiceKind = defineKind({
  type: 'choice',
  width: 120,
  operators: OPS.choice,
  display(value, field, context) {
    const option = optionOf(value, field);
    return option === null ? null : <Dot color={option.color}>{optionText(option, context)}</Dot>;
  },
  text: (value, field, context) => optionText(optionOf(value, field), context),
  parse(text, field) {
    if (text.trim() === '') return parsed(null);
    const option = findOption(text, field);
    return option === undefined ? refused : parsed(option.key);
  },
  Editor: ChoiceEditor,
});
