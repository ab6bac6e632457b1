import type { Field, FieldValues, ObjectType } from '@/api';
import { isEmptyValue, kindOf } from '@/fields';
import { canRead, type FieldSection, fieldSections, sectionOf } from '@/metadata';

/** The title first, then what must be given, then the rest by section. */
export interface FormSections {
  needed: Field[];
  sections: FieldSection[];
}

const writable = (field: Field): boolean =>
  canRead(field) &&
  field.access === 'write' &&
  !field.read_only &&
  !field.operation_only &&
  field.type !== 'relation_many' &&
  field.type !== 'auto_number';

export function formSections(object: ObjectType): FormSections {
  if (object.layout !== undefined)
    return {
      needed: [],
      sections: fieldSections(object)
        .map((section) => ({ ...section, fields: section.fields.filter(writable) }))
        .filter((section) => section.fields.length > 0),
    };
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

/** What goes to the server: only what was filled in and is shown. */
export function toCreate(object: ObjectType, values: FieldValues, hidden: readonly string[] = []): FieldValues {
  const sent: FieldValues = {};
  for (const field of object.fields) {
    const value = values[field.key];
    if (writable(field) && !isEmptyValue(value) && !hidden.includes(field.key))
      sent[field.key] = kindOf(field.type).toWrite(value);
  }
  return sent;
}

/** Keys of the needed fields that are still empty: those that always are needed, and those that are with these values. */
export const missing = (
  object: ObjectType,
  values: FieldValues,
  said: { hidden: readonly string[]; required: readonly string[] } = { hidden: [], required: [] },
): string[] =>
  object.fields
    .filter(
      (field) =>
        (field.required || said.required.includes(field.key)) &&
        !said.hidden.includes(field.key) &&
        writable(field) &&
        isEmptyValue(values[field.key]),
    )
    .map((field) => field.key);
