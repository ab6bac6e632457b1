import { defineKind, isEmptyValue, OPS, parsed } from '../kind';
import { asAddress } from './value';

export const addressKind = defineKind({
  type: 'address',
  width: 260,
  sortable: false,
  aggregate: [],
  operators: OPS.presence,
  text(value, _field, { language }) {
    const { region, street, postcode } = asAddress(value);
    return [region?.name.replaceAll(' / ', language === 'zh-CN' ? '' : ', '), street, postcode]
      .filter(Boolean)
      .join(' ');
  },
  parse: (text) => parsed(text.trim() === '' ? null : { street: text.trim() }),
  toWrite(value) {
    if (isEmptyValue(value)) return null;
    const { region, ...rest } = asAddress(value);
    return { ...rest, region: region?.code ?? null };
  },
});
