import type { Field, FigureGroup, Figures, GroupBy, ObjectType, Option, Ref, User } from '@/api';
import { type FieldContext, isRef, kindOf } from '@/fields';
import { canEdit, canRead } from '@/metadata';
import { groupKey, groupText } from '../figures';

const KINDS = new Set<Field['type']>(['choice', 'user', 'relation', 'bool']);
/** Whether records can stand on a board by a field. */
export const boardable = (field: Field): boolean => canRead(field) && !field.personal && KINDS.has(field.type);

/** The field of a board that nobody set: a choice that can be changed says most. */
export function usualBoard(object: ObjectType): Field | null {
  const fields = object.fields.filter((field) => boardable(field) && field.key !== 'created_by');
  const editable = fields.filter((field) => canEdit(field, object));
  const choice = (field: Field) => field.type === 'choice';
  const user = (field: Field) => field.type === 'user';
  return (
    editable.find((field) => choice(field) && /^(status|stage|state|level)$/.test(field.key)) ??
    editable.find(choice) ??
    editable.find(user) ??
    fields.find(choice) ??
    editable[0] ??
    fields[0] ??
    null
  );
}

export interface BoardColumn {
  /** What limits and collapses remember; "" for the records without a value. */
  key: string;
  /** As records hold it. */
  value: unknown;
  title: string;
  color: string | undefined;
  count: number;
  figure: FigureGroup['measures'][number] | undefined;
}

const GIVEN = (options: readonly Option[] | undefined): Option[] =>
  (options ?? []).filter((option) => option.archived !== true);

/** The values that have a column though no record has them: every option, yes and no, every colleague. */
function standing(field: Field, users: readonly User[]): unknown[] {
  if (field.type === 'choice') return GIVEN(field.options).map((option) => option.key);
  if (field.type === 'bool') return [true, false];
  if (field.type !== 'user') return [];
  return users
    .filter((user) => !user.disabled)
    .map((user): Ref => ({ id: user.id, title: user.name || user.email, object: 'user' }));
}

/** The columns of a board: first the records without a value where there are any, then the field's own order, then what else there is. */
export function boardColumns(
  field: Field,
  group: GroupBy,
  figures: Figures | undefined,
  users: readonly User[],
  context: FieldContext,
): BoardColumn[] {
  const groups = new Map((figures?.groups ?? []).map((found) => [groupKey(found.values[0]), found]));
  const column = (value: unknown): BoardColumn => {
    const found = groups.get(groupKey(value));
    const shown = isRef(value) && found !== undefined ? found.values[0] : value;
    const option = field.options?.find((candidate) => candidate.key === value);
    return {
      key: groupKey(value),
      value: shown ?? null,
      title: groupText(shown, group, field, context),
      color: option?.color,
      count: found?.count ?? 0,
      figure: found?.measures[0],
    };
  };
  const fixed = standing(field, users).map(column);
  const known = new Set(fixed.map((candidate) => candidate.key));
  const others = [...groups.values()]
    .map((found) => found.values[0])
    .filter((value) => value !== null && !known.has(groupKey(value)))
    .map(column);
  const empty = column(null);
  const columns = field.type === 'user' ? [...others, ...fixed] : [...fixed, ...others];
  if (empty.count > 0) return [empty, ...columns];
  return field.required ? columns : [...columns, empty];
}

/** How a total looks in a column's head. */
export function columnFigure(column: BoardColumn, field: Field | null, context: FieldContext): string {
  if (column.figure === undefined || column.figure === null || field === null) return '';
  return kindOf(field.type).text(column.figure, field, context);
}
