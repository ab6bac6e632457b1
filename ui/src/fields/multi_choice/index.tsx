import { Pill } from '@/ui';
import { asList, findOption, optionOf, optionText, splitList } from '../base/value-text';
import { defineKind, OPS, parsed, refused } from '../kind';

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
});
