import { defineKind, OPS, parsed, refused } from '../kind';

const YES = new Set(['true', '1', 'yes', 'y', 'on', '\u662f', '\u6709', '\u2713']);
const NO = new Set(['false', '0', 'no', 'n', 'off', '\u5426', '\u65e0']);

export const boolKind = defineKind({
  type: 'bool',
  width: 90,
  aggregate: [],
  operators: OPS.bool,
  text(value, _, { t }) {
    if (typeof value !== 'boolean') return '';
    return value ? t('fields:yes') : t('fields:no');
  },
  parse(text) {
    const word = text.trim().toLowerCase();
    if (word === '') return parsed(null);
    if (YES.has(word)) return parsed(true);
    return NO.has(word) ? parsed(false) : refused;
  },
});
