import type { FileValue, ObjectType, RecordData } from '@/api';

const NUMBERED = new Set(['order', 'order_line', 'refund', 'variant']);

/** Names get a sign of their own; numbers such as SO-20931 would all get the same. */
export const hasAvatar = (object: ObjectType): boolean => !NUMBERED.has(object.key);

/** The first picture of a record: the face of a person, a product as it looks. */
export function pictureOf(object: ObjectType, record: RecordData): string | undefined {
  for (const field of object.fields) {
    const value = field.type === 'image' ? record.fields[field.key] : undefined;
    const file = Array.isArray(value) ? (value[0] as FileValue | undefined) : undefined;
    if (file?.thumbnail !== undefined) return file.id;
  }
  return undefined;
}
