import { Dot } from '@/ui';
import { findOption, optionOf, optionText } from '../base/value-text';
import { defineKind, OPS, parsed, refused } from '../kind';

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
});
