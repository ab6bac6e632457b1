import { labelText, useLanguage } from '@/i18n';
import { MultiSelect, Pill } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asList, findOption, optionOf, optionText, splitList } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

function MultiChoiceEditor(props: EditorProps) {
  const language = useLanguage();
  return (
    <MultiSelect
      {...inputProps(props)}
      options={(props.field.options ?? []).map((option) => ({
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

export const multiChoiceKind = defineKind({
  type: 'multi_choice',
  width: 190,
  sortable: false,
  operators: OPS.many,
  display: (value, field, context) =>
    asList(value).map((item) => {
      const option = optionOf(item, field);
      return (
        <Pill key={String(item)} color={option?.color}>
          {optionText(option, context)}
        </Pill>
      );
    }),
  text: (value, field, context) =>
    asList(value)
      .map((item) => optionText(optionOf(item, field), context))
      .join(', '),
  parse(text, field) {
    const found = splitList(text).map((part) => findOption(part, field));
    return found.includes(undefined) ? refused : parsed(found.map((option) => option?.key));
  },
  toWrite: (value) => asList(value),
  Editor: MultiChoiceEditor,
});
