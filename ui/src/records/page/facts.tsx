import type { CustomerProfile, Field, ObjectType, RecordData, Trait } from '@/api';
import { type FieldContext, isEmptyValue, kindOf } from '@/fields';
import { labelText } from '@/i18n';
import { findField, sectionOf } from '@/metadata';
import { cellValue } from '../cell-value';
import { traitText } from '../trait-text';
import type { Highlight } from './highlights';

const TELLING = new Set<Field['type']>(['money', 'number', 'choice', 'date', 'datetime', 'relation', 'user']);
const RANK: Partial<Record<Field['type'], number>> = {
  money: 0,
  choice: 1,
  date: 2,
  datetime: 2,
  number: 3,
  relation: 4,
  user: 5,
};
const MOST = 4;

/** The figures of an object that has no profile: what its list shows, money first. */
export function factsOf(object: ObjectType, record: RecordData, context: FieldContext): Highlight[] {
  const chosen = chosenFacts(object, record, context);
  if (chosen !== null) return chosen;
  return object.default_columns
    .map((key) => findField(object, key))
    .filter(
      (field): field is Field =>
        field !== undefined &&
        field.key !== object.title_field &&
        sectionOf(field) !== 'system' &&
        TELLING.has(field.type),
    )
    .filter((field) => !isEmptyValue(cellValue(record, field.key)))
    .sort((left, right) => (RANK[left.type] ?? 9) - (RANK[right.type] ?? 9))
    .slice(0, MOST)
    .map((field) => ({
      key: field.key,
      label: labelText(field.label, context.language, field.key),
      value: factValue(field, record, context),
    }));
}

/** The figures that the layout names, empty ones too; null where it names none. */
export function chosenFacts(object: ObjectType, record: RecordData, context: FieldContext): Highlight[] | null {
  const keys = object.layout?.highlights ?? [];
  if (keys.length === 0) return null;
  return keys.flatMap((key) => {
    const field = findField(object, key);
    if (field === undefined) return [];
    const empty = isEmptyValue(cellValue(record, key));
    const value = empty ? '\u2013' : factValue(field, record, context);
    return [{ key, label: labelText(field.label, context.language, key), value }];
  });
}

/** Days are enough in a figure; the clock is in the fields below. */
function factValue(field: Field, record: RecordData, context: FieldContext) {
  const value = cellValue(record, field.key);
  if (field.type === 'datetime' && typeof value === 'string')
    return <span title={context.fmt.datetime(value)}>{context.fmt.date(value)}</span>;
  return kindOf(field.type).display(value, field, context);
}

const DAY = /^\d{4}-\d{2}-\d{2}/;

/** The figures that the profile of a customer names, with the units of their traits. */
export function profileFacts(profile: CustomerProfile, context: FieldContext, traits: readonly Trait[]): Highlight[] {
  return profile.highlights.map((item) => {
    const text = traitText(
      item.value,
      context,
      traits.find((trait) => trait.key === item.key),
    );
    const day = typeof item.value === 'string' && DAY.test(item.value) ? item.value : null;
    return {
      key: item.key,
      label: labelText(item.label, context.language, item.key),
      value: day === null ? text : <span title={text}>{context.fmt.relative(day)}</span>,
    };
  });
}

/** Tags and multiple choices, for the line under a name. */
export function pillsOf(object: ObjectType, record: RecordData, context: FieldContext) {
  const field = object.fields.find((candidate) => candidate.type === 'tags');
  const value = field === undefined ? null : record.fields[field.key];
  return field === undefined || isEmptyValue(value) ? null : kindOf(field.type).display(value, field, context);
}
