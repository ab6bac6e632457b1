import { asText } from '../base/value-text';
import { defineKind, OPS, parsed } from '../kind';

export const longTextKind = defineKind({
  type: 'long_text',
  width: 260,
  sortable: false,
  aggregate: [],
  operators: OPS.text,
  text: asText,
  display: (value) => asText(value).replace(/\s+/g, ' '),
  parse: (text) => parsed(text === '' ? null : text),
});
