import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { type Field, type ObjectType, objectsQuery } from '@/api';

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
    if (field.target === undefined) return null;
    through.push(field);
    current = findObject(objects, field.target);
  }
  return null;
}

export const canRead = (field: Field): boolean => field.access !== 'hidden';
export const canEdit = (field: Field, object: ObjectType): boolean =>
  field.access === 'write' && !field.read_only && !field.operation_only && object.actions.update;

/** Readable fields by their section, in the order of the metadata. */
export function fieldSections(object: ObjectType): { key: string; fields: Field[] }[] {
  const sections = new Map<string, Field[]>();
  for (const field of object.fields) {
    if (!canRead(field)) continue;
    const key = sectionOf(field);
    sections.set(key, [...(sections.get(key) ?? []), field]);
  }
  return [...sections].map(([key, fields]) => ({ key, fields }));
}
