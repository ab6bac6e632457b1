import { asText } from '../base/value-text';
import { defineKind, OPS } from '../kind';

/** Mainland mobile numbers are read in groups of 3, 4 and 4, masked ones too. */
export function phoneText(value: unknown): string {
  const text = asText(value);
  const mobile = /^(1[\d*]{2})([\d*]{4})([\d*]{4})$/.exec(text);
  return mobile === null ? text : `${mobile[1]} ${mobile[2]} ${mobile[3]}`;
}

export const phoneKind = defineKind({
  type: 'phone',
  width: 140,
  sortable: false,
  aggregate: [],
  operators: OPS.identity,
  text: phoneText,
});
