import type { Field, FieldValues, ObjectType } from '@/api';
import { isEmptyValue, kindOf } from '@/fields';
import { canRead, sectionOf } from '@/metadata';

/** The title first, then what must be given, then the rest by section. */
export interface FormSections {
  needed: Field[];
  sections: { key: string; fields: Field[] }[];
}

const writable = (field: Field): boolean =>
  canRead(field) &&
  field.access === 'write' &&
  !field.read_only &&
  !field.operation_only &&
  field.type !== 'relation_many' &&
  field.type !== 'auto_number';

export function formSections(object: ObjectType): FormSections {
  const fields = object.fields.filter(writable);
  const first = (field: Field) => field.required || field.key === object.title_field;
  const sections = new Map<string, Field[]>();
  for (const field of fields.filter((candidate) => !first(candidate))) {
    const key = sectionOf(field);
    sections.set(key, [...(sections.get(key) ?? []), field]);
  }
  return {
    needed: fields
      .filter(first)
      .sort((left, right) => Number(right.key === object.title_field) - Number(left.key === object.title_field)),
    sections: [...sections].map(([key, inner]) => ({ key, fields: inner })),
  };
}

const startOf = (field: Field, today: string): unknown => {
  if (field.default !== 'now') return field.default;
  if (field.type === 'date') return today;
  return field.type === 'datetime' ? new Date().toISOString() : field.default;
};

/** What a new record starts with; `today` is what a date that starts "now" gets. */
export function startValues(object: ObjectType, today: string, given: FieldValues = {}): FieldValues {
  const values: FieldValues = {};
  for (const field of object.fields)
    if (field.default !== undefined && field.default !== null && writable(field))
      values[field.key] = startOf(field, today);
  return { ...values, ...given };
}

/** What goes to the server: only what was filled in. */
export function toCreate(object: ObjectType, values: FieldValues): FieldValues {
  const sent: FieldValues = {};
  for (const field of object.fields) {
    const value = values[field.key];
    if (writable(field) && !isEmptyValue(value)) sent[field.key] = kindOf(field.type).toWrite(value);
  }
  return sent;
}

/** Keys of the needed fields that are still empty. */
export const missing = (object: ObjectType, values: FieldValues): string[] =>
  object.fields
    .filter((field) => field.required && writable(field) && isEmptyValue(values[field.key]))
    .map((field) => field.key);
