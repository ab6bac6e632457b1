import { asText, isObject } from '../base/value-text';
import { defineKind } from '../kind';
import { regionCode } from './code';

export const regionKind = defineKind({
  type: 'region',
  width: 190,
  operators: ['in', 'not_in', 'is_set', 'is_not_set'],
  text: (value) => (isObject(value) ? asText(value.name) : asText(value)),
  // A code (or the name as text, which the server looks up).
  toWrite: (value) => regionCode(value) || null,
});
