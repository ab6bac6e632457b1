import { parseDay } from '@/lib/day';
import { asText } from '../base/value-text';
import { defineKind, OPS, parsed, refused } from '../kind';

export const dateKind = defineKind({
  type: 'date',
  width: 120,
  aggregate: ['min', 'max', 'distinct'],
  operators: OPS.date,
  text: (value, _, { fmt }) => fmt.date(asText(value)),
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const day = parseDay(text);
    return day === null ? refused : parsed(day);
  },
});
