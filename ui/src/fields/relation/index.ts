import { asText, isRef } from '../base/value-text';
import { defineKind, OPS } from '../kind';

export const relationKind = defineKind({
  type: 'relation',
  width: 160,
  operators: OPS.choice,
  text: (value) => (isRef(value) ? value.title : asText(value)),
  toWrite: (value) => (isRef(value) ? value.id : (value ?? null)),
});
