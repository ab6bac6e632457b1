import { defineKind, isEmptyValue, OPS, parsed, refused } from '../kind';

export const jsonKind = defineKind({
  type: 'json',
  width: 180,
  sortable: false,
  aggregate: [],
  operators: OPS.presence,
  text: (value) => (isEmptyValue(value) ? '' : JSON.stringify(value)),
  parse(text) {
    if (text.trim() === '') return parsed(null);
    try {
      return parsed(JSON.parse(text));
    } catch {
      return refused;
    }
  },
});
