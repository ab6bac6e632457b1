import type { Condition, Field, Figure, FigureGroup, GroupBy, Measure, MeasureFunc, ObjectType, Trait } from '@/api';
import { type FieldContext, isRef, kindOf } from '@/fields';
import { canRead, findField, traitAsField } from '@/metadata';
import { TRAIT } from './cell-value';

/** A column's key as a group or a measure names it. */
export const asTarget = (column: string): { field?: string; trait?: string } =>
  column.startsWith(TRAIT) ? { trait: column.slice(TRAIT.length) } : { field: column };
export const targetKey = (target: { field?: string; trait?: string }): string =>
  target.trait === undefined ? (target.field ?? '') : `${TRAIT}${target.trait}`;

/** The field that a group or measure is about; traits in the shape of one. */
export function targetField(
  target: { field?: string; trait?: string } | undefined,
  object: ObjectType,
  traits: readonly Trait[],
): Field | null {
  if (target === undefined) return null;
  if (target.trait !== undefined) {
    const trait = traits.find((candidate) => candidate.key === target.trait);
    return trait === undefined ? null : traitAsField(trait);
  }
  const field = findField(object, target.field ?? '');
  return field !== undefined && canRead(field) ? field : null;
}

const GROUPS = new Set<Field['type']>(['choice', 'bool', 'date', 'datetime', 'relation', 'user', 'region']);
/** Whether records can be grouped by a field. */
export const groupable = (field: Field): boolean =>
  canRead(field) &&
  !field.personal &&
  GROUPS.has(field.type) &&
  !(field.type === 'datetime' && field.key.startsWith(TRAIT));

/** How wide groups of a field can be. */
export function spansOf(field: Field): readonly string[] {
  if (field.type === 'date' || field.type === 'datetime') return ['day', 'week', 'month', 'quarter', 'year'];
  return field.type === 'region' ? ['province', 'city', 'district'] : [];
}
export const usualSpan = (field: Field): string | undefined => {
  if (field.type === 'region') return 'province';
  return spansOf(field).length > 0 ? 'month' : undefined;
};
export const groupOf = (field: Field, by?: string): GroupBy => {
  const span = by ?? usualSpan(field);
  return { ...asTarget(field.key), ...(span !== undefined && { by: span }) };
};

/** The figures that a column can have under it. */
export function measuresOf(field: Field): readonly MeasureFunc[] {
  const both: MeasureFunc[] = ['filled', 'empty'];
  if (field.type === 'number' || field.type === 'money') return ['sum', 'avg', 'min', 'max', ...both];
  if (field.type === 'rating') return ['avg', 'min', 'max', ...both];
  if (field.type === 'date' || field.type === 'datetime') return ['min', 'max', ...both];
  return field.type === 'relation_many' ? [] : both;
}
export const measureOf = (column: string, func: MeasureFunc): Measure =>
  func === 'count' ? { func } : { func, ...asTarget(column) };

/** A figure in words. Counts and averages are plain numbers; the rest looks as the field does. */
export function figureText(figure: Figure, func: MeasureFunc, field: Field | null, context: FieldContext): string {
  if (figure === null || figure === undefined) return '\u2013';
  if (func === 'count' || func === 'filled' || func === 'empty' || field === null)
    return context.fmt.number(Number(figure));
  if (func === 'avg' && typeof figure === 'number') return context.fmt.number(figure, (field.scale ?? 0) + 2);
  return kindOf(field.type).text(figure, field, context);
}

/** One name for a group: what expands, limits and collapses remember. */
export function groupKey(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (isRef(value)) return value.id;
  if (typeof value === 'object') {
    const { key, code } = value as { key?: unknown; code?: unknown };
    return String(key ?? code ?? JSON.stringify(value));
  }
  return String(value);
}

/** The condition of a group whose records hold a value. */
export function groupWhere(group: GroupBy, value: unknown): Condition {
  const target = group.trait === undefined ? { field: group.field ?? '' } : { trait: group.trait };
  if (value === null || value === undefined) return { ...target, op: 'is_not_set' } as Condition;
  const plain = typeof value === 'boolean' ? value : groupKey(value);
  return { ...target, op: '=', value: plain } as Condition;
}

const pad = (part: number) => String(part).padStart(2, '0');

/** The name of a group of days, from its first day. */
export function spanText(day: string, by: string | undefined, context: FieldContext): string {
  const { fmt, t } = context;
  const [year = '', month = ''] = day.split('-');
  switch (by) {
    case 'year':
      return t('views:group.inYear', { year });
    case 'quarter':
      return t('views:group.inQuarter', { year, quarter: Math.ceil(Number(month) / 3) });
    case 'month':
      return fmt.month(day);
    case 'week': {
      const last = new Date(Date.parse(`${day}T00:00:00Z`) + 6 * 86_400_000);
      return `${fmt.date(day)} \u2013 ${pad(last.getUTCMonth() + 1)}-${pad(last.getUTCDate())}`;
    }
    default:
      return fmt.date(day);
  }
}

/** The name of a group as plain text. */
export function groupText(value: unknown, group: GroupBy, field: Field, context: FieldContext): string {
  if (value === null || value === undefined) return context.t('views:group.none');
  if (field.type === 'date' || field.type === 'datetime') return spanText(String(value), group.by, context);
  return kindOf(field.type).text(value, field, context) || groupKey(value);
}

export const groupName = (group: FigureGroup): string => group.values.map(groupKey).join('\u0000');
