import { plainNumber } from '../base/value-text';
import { defineKind, OPS, parsed, refused } from '../kind';

export const numberKind = defineKind({
  type: 'number',
  align: 'right',
  width: 110,
  aggregate: ['sum', 'avg', 'min', 'max', 'distinct'],
  operators: OPS.number,
  text(value, field, { fmt }) {
    if (typeof value !== 'number') return '';
    return field.unit?.en === 'share' ? fmt.percent(value) : fmt.number(value, field.scale ?? 4);
  },
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const bare = plainNumber(text);
    return bare === null ? refused : parsed(Number(bare));
  },
});
