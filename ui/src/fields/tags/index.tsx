import { Pill } from '@/ui';
import { asList, optionOf, optionText, splitList } from '../base/value-text';
import { defineKind, OPS, parsed } from '../kind';

export const tagsKind = defineKind({
  type: 'tags',
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
  text: (value) => asList(value).map(String).join(', '),
  parse: (text) => parsed(splitList(text)),
  toWrite: (value) => asList(value),
});
