import type { BulkChange, ChangeOp, Field, ObjectType } from '@/api';
import { isEmptyValue, kindOf } from '@/fields';

/** One line of the dialog, before it is sent. */
export interface Line {
  key: number;
  field: string;
  op: ChangeOp;
  value: unknown;
}

/** Personal and unique values are nobody's to give to many at once: they can only be emptied. */
export const bulkFields = (object: ObjectType): Field[] =>
  object.fields.filter(
    (field) =>
      field.access === 'write' &&
      !field.read_only &&
      !field.operation_only &&
      field.type !== 'relation_many' &&
      field.type !== 'auto_number' &&
      opsOf(field).length > 0,
  );

export function opsOf(field: Field): ChangeOp[] {
  const clear: ChangeOp[] = field.required ? [] : ['clear'];
  // A file belongs to one record.
  if (field.personal || field.unique || field.type === 'file' || field.type === 'image') return clear;
  if (field.type === 'tags' || field.type === 'multi_choice') return ['add', 'remove', 'set', ...clear];
  if (field.type === 'number' || field.type === 'money') return ['set', 'increase', ...clear];
  return ['set', ...clear];
}

export const isComplete = (line: Line): boolean =>
  line.field !== '' && (line.op === 'clear' || line.value === false || !isEmptyValue(line.value));

export function toChanges(lines: readonly Line[], object: ObjectType): BulkChange[] {
  return lines.filter(isComplete).map(({ field: key, op, value }) => {
    const field = object.fields.find((one) => one.key === key);
    if (op === 'clear' || field === undefined) return { field: key, op };
    return { field: key, op, value: kindOf(field.type).toWrite(value) };
  });
}
