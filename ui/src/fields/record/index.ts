import { asText, isRef } from '../base/value-text';
import { defineKind, OPS } from '../kind';

/** One record of any object. */
export const recordKind = defineKind({
  type: 'record',
  width: 180,
  sortable: false,
  operators: OPS.choice,
  text: (value) => (isRef(value) ? value.title || value.id : asText(value)),
  toWrite: (value) => (isRef(value) ? value.id : (value ?? null)),
});
