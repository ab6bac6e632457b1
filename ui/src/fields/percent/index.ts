import { plainNumber } from '../base/value-text';
import { defineKind, OPS, parsed, refused } from '../kind';

/** 12.5 stands for 12.5 %. */
export const percentKind = defineKind({
  type: 'percent',
  align: 'right',
  width: 110,
  aggregate: ['avg', 'min', 'max', 'distinct'],
  operators: OPS.number,
  text: (value, field, { fmt }) => (typeof value === 'number' ? fmt.percent(value / 100, field.scale ?? 2) : ''),
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const bare = plainNumber(text.replace(/[%\uff05]\s*$/, ''));
    return bare === null ? refused : parsed(Number(bare));
  },
});
