import { asText } from '../base/value-text';
import { defineKind, OPS } from '../kind';

/** Given by the server; the editor only serves conditions. */
export const autoNumberKind = defineKind({
  type: 'auto_number',
  width: 110,
  operators: OPS.identity,
  text: asText,
});
