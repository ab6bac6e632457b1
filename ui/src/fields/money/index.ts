import { isMoney, plainNumber } from '../base/value-text';
import { defineKind, OPS, parsed, refused } from '../kind';

export const moneyKind = defineKind({
  type: 'money',
  align: 'right',
  width: 130,
  aggregate: ['sum', 'avg', 'min', 'max'],
  operators: OPS.number,
  text: (value, _, { fmt }) => (isMoney(value) ? fmt.money(value) : ''),
  parse(text, _, { fmt }) {
    if (text.trim() === '') return parsed(null);
    const bare = plainNumber(text);
    return bare === null ? refused : parsed({ amount: bare, currency: fmt.currency });
  },
});
