import { asText } from '../base/value-text';
import { defineKind, OPS } from '../kind';

export const emailKind = defineKind({
  type: 'email',
  width: 200,
  aggregate: [],
  operators: OPS.identity,
  text: asText,
});
