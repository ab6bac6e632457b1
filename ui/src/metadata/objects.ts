import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { type Field, type Layout, type ObjectType, objectsQuery } from '@/api';
import type { Label } from '@/i18n';

/** Fields that every object has beside its own; the server lists them too, and then those win. */
export const SYSTEM_FIELDS = ['id', 'created_at', 'updated_at', 'created_by'] as const;

export function useObjects(): ObjectType[] {
  return useSuspenseQuery(objectsQuery()).data.items;
}

/** The objects if they are there already; for places that must not wait. */
export function useObjectsIfLoaded(): ObjectType[] {
  return useQuery(objectsQuery()).data?.items ?? [];
}

export function useObject(key: string): ObjectType | undefined {
  return useObjects().find((object) => object.key === key);
}

export const findObject = (objects: readonly ObjectType[], key: string | undefined): ObjectType | undefined =>
  objects.find((object) => object.key === key);

export const findField = (object: ObjectType | undefined, key: string): Field | undefined =>
  object?.fields.find((field) => field.key === key);

/** The section a field is shown in; the server leaves it out for the fields that every object has. */
export function sectionOf(field: Field): string {
  if ((SYSTEM_FIELDS as readonly string[]).includes(field.key)) return 'system';
  return field.section || 'basic';
}

export interface FieldPath {
  field: Field;
  /** The relation fields walked over, outermost first; empty for a field of the object itself. */
  through: Field[];
  object: ObjectType;
}

/** Follows "customer.city" from an object over to-one relations; null when any step does not exist. */
export function resolvePath(objects: readonly ObjectType[], object: string, path: string): FieldPath | null {
  let current = findObject(objects, object);
  const through: Field[] = [];
  const steps = path.split('.');
  for (const [at, step] of steps.entries()) {
    const field = findField(current, step);
    if (current === undefined || field === undefined) return null;
    if (at === steps.length - 1) return { field, through, object: current };
    const counted = (field.type === 'file' || field.type === 'image') && steps[at + 1] === 'count';
    if (counted && at === steps.length - 2) return { field: countOf(field), through, object: current };
    if (field.target === undefined) return null;
    through.push(field);
    current = findObject(objects, field.target);
  }
  return null;
}

/** How many files a field holds, as a field of its own for conditions. */
const countOf = (field: Field): Field => ({
  ...field,
  key: `${field.key}.count`,
  type: 'number',
  scale: 0,
  operators: ['=', '!=', '>', '>=', '<', '<=', 'between'],
});

export const canRead = (field: Field): boolean => field.access !== 'hidden';
export const canEdit = (field: Field, object: ObjectType): boolean =>
  field.access === 'write' && !field.read_only && !field.operation_only && object.actions.update;

export interface FieldSection {
  key: string;
  /** The layout's own title; else the key has words. */
  title?: Label;
  columns?: number;
  collapsed?: boolean;
  fields: Field[];
}

/** Whether some field is shown or required by a condition. */
export const isConditional = (object: ObjectType): boolean =>
  object.fields.some((field) => field.shown_when !== undefined || field.required_when !== undefined);

/** The sections of a layout. Fields that it does not name stand under "other", those of the program under "system". */
function laidOut(object: ObjectType, layout: Layout): FieldSection[] {
  const left = new Map(object.fields.filter(canRead).map((field) => [field.key, field]));
  const take = (key: string): Field[] => {
    const field = left.get(key);
    left.delete(key);
    return field === undefined ? [] : [field];
  };
  const sections: FieldSection[] = layout.sections.map((section) => ({
    ...section,
    columns: section.columns ?? 1,
    fields: section.fields.flatMap(take),
  }));
  // A record could not be saved without these.
  for (const key of layout.hidden ?? []) if (left.get(key)?.required !== true) left.delete(key);
  const rest = [...left.values()];
  const system = rest.filter((field) => sectionOf(field) === 'system');
  return [
    ...sections,
    { key: 'other', fields: rest.filter((field) => sectionOf(field) !== 'system') },
    { key: 'system', fields: system },
  ].filter((section) => section.fields.length > 0);
}

/** Readable fields by their section, in the order of the layout, else of the metadata. */
export function fieldSections(object: ObjectType): FieldSection[] {
  if (object.layout !== undefined) return laidOut(object, object.layout);
  const sections = new Map<string, Field[]>();
  for (const field of object.fields) {
    if (!canRead(field)) continue;
    const key = sectionOf(field);
    sections.set(key, [...(sections.get(key) ?? []), field]);
  }
  return [...sections].map(([key, fields]) => ({ key, fields }));
}
