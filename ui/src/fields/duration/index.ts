import { defineKind, OPS, parsed, refused } from '../kind';
import { parseSpan, spanText } from './span';

/** Seconds. */
export const durationKind = defineKind({
  type: 'duration',
  align: 'right',
  width: 110,
  aggregate: ['sum', 'avg', 'min', 'max', 'distinct'],
  operators: OPS.number,
  text: (value) => (typeof value === 'number' ? spanText(value) : ''),
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const seconds = parseSpan(text);
    return seconds === null ? refused : parsed(seconds);
  },
});
