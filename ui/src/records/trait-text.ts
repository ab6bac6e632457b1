import type { Label, TraitType, TraitValue } from '@/api';
import { type FieldContext, isMoney } from '@/fields';
import { labelText } from '@/i18n';

const DAY = /^\d{4}-\d{2}-\d{2}/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T/;

interface Known {
  type?: TraitType | undefined;
  unit?: Label | undefined;
}

/** A trait in words, with its unit where it has one. Where the type is not known, the value tells. */
export function traitText(value: TraitValue | undefined, context: FieldContext, { type, unit }: Known = {}): string {
  const { fmt, language, t } = context;
  if (value === null || value === undefined || value === '') return '\u2013';
  if (typeof value === 'boolean') return value ? t('fields:yes') : t('fields:no');
  if (typeof value === 'number') {
    if (unit?.en === 'share') return fmt.percent(value);
    const figure = fmt.number(value, type === 'integer' ? 0 : 2);
    // English names say what is counted ("Purchases"); only days need their word.
    const worded = unit !== undefined && (language === 'zh-CN' || unit.en === 'days');
    return worded ? `${figure} ${labelText(unit, language)}` : figure;
  }
  if (typeof value === 'string') {
    if (type === 'datetime' || INSTANT.test(value)) return fmt.datetime(value);
    return type === 'date' || DAY.test(value) ? fmt.date(value) : value;
  }
  if (isMoney(value)) return fmt.money(value);
  return labelText(value.label, language, value.key);
}
