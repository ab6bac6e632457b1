import type { Field, RecordData, User } from '@/api';
import { type FieldContext, isEmptyValue, isRef, kindOf } from '@/fields';
import { cellValue } from '../cell-value';
import type { GridColumn } from '../grid/columns';
import type { PastedCells } from '../grid/use-clipboard';

/** Why a text does not go into a cell. */
export type Refusal = 'fixed' | 'needed' | 'unfit' | 'unknown' | 'several' | 'server';

export interface PlannedCell {
  record: RecordData;
  column: GridColumn;
  text: string;
  /** What it holds, and what it would. */
  before: unknown;
  after: unknown;
  refusal: Refusal | null;
  /** The server's own words. */
  detail?: string;
}

/** Finds what a name stands for: everybody and everything that has it. */
export type Resolve = (field: Field, name: string) => readonly { id: string; title: string; object: string }[] | null;

const LOOKED_UP = new Set<Field['type']>(['relation', 'user']);

/** The names that must be looked up before a plan can be made, by field. */
export function namesIn(cells: PastedCells): Map<string, { field: Field; names: Set<string> }> {
  const wanted = new Map<string, { field: Field; names: Set<string> }>();
  for (const [at, column] of cells.columns.entries()) {
    if (!LOOKED_UP.has(column.field.type) || !column.editable) continue;
    const entry = wanted.get(column.key) ?? { field: column.field, names: new Set<string>() };
    for (const row of cells.texts) {
      const name = row[at]?.trim() ?? '';
      if (name !== '') entry.names.add(name);
    }
    if (entry.names.size > 0) wanted.set(column.key, entry);
  }
  return wanted;
}

export const usersNamed = (users: readonly User[], name: string) =>
  users
    .filter((user) => user.name === name || user.email === name)
    .map((user) => ({ id: user.id, title: user.name || user.email, object: 'user' }));

const same = (left: unknown, right: unknown, field: Field): boolean => {
  const kind = kindOf(field.type);
  if (isEmptyValue(left) && isEmptyValue(right)) return true;
  return JSON.stringify(kind.toWrite(left)) === JSON.stringify(kind.toWrite(right));
};

function read(
  field: Field,
  text: string,
  context: FieldContext,
  resolve: Resolve,
): { value: unknown; refusal: Refusal | null } {
  if (text.trim() === '') return { value: null, refusal: field.required ? 'needed' : null };
  if (LOOKED_UP.has(field.type)) {
    const found = resolve(field, text.trim()) ?? [];
    if (found.length === 1) return { value: found[0], refusal: null };
    return { value: text, refusal: found.length === 0 ? 'unknown' : 'several' };
  }
  const parsed = kindOf(field.type).parse(text, field, context);
  return parsed.ok ? { value: parsed.value, refusal: null } : { value: text, refusal: 'unfit' };
}

/** What pasting would do, cell by cell. Cells that hold what is pasted already are left out. */
export function planPaste(cells: PastedCells, context: FieldContext, resolve: Resolve): PlannedCell[] {
  const plan: PlannedCell[] = [];
  for (const [row, record] of cells.records.entries()) {
    for (const [at, column] of cells.columns.entries()) {
      const text = cells.texts[row]?.[at] ?? '';
      const before = cellValue(record, column.key);
      const shown = kindOf(column.field.type).text(before, column.field, context);
      // What was copied from here comes back as it looks.
      if (text === shown || (text.trim() === '' && isEmptyValue(before))) continue;
      if (!column.editable) {
        plan.push({ record, column, text, before, after: before, refusal: 'fixed' });
        continue;
      }
      const { value, refusal } = read(column.field, text, context, resolve);
      if (refusal === null && same(before, value, column.field)) continue;
      plan.push({ record, column, text, before, after: value, refusal });
    }
  }
  return plan;
}

export interface Write {
  record: RecordData;
  fields: Record<string, unknown>;
  before: Record<string, unknown>;
  /** Some of the old values are not known here, so they cannot be put back. */
  masked: boolean;
}

/** The changes of a plan, one for each record. */
export function writesOf(plan: readonly PlannedCell[]): Write[] {
  const writes = new Map<string, Write>();
  for (const cell of plan) {
    if (cell.refusal !== null) continue;
    const { record, column } = cell;
    const kind = kindOf(column.field.type);
    const write = writes.get(record.id) ?? { record, fields: {}, before: {}, masked: false };
    write.fields[column.key] = kind.toWrite(cell.after);
    write.before[column.key] = kind.toWrite(cell.before ?? null);
    write.masked ||= record.masked?.includes(column.key) === true;
    writes.set(record.id, write);
  }
  return [...writes.values()];
}

/** A value of a plan in words. */
export const planText = (value: unknown, column: GridColumn, context: FieldContext): string =>
  typeof value === 'string' && !isRef(value) && column.field.type !== 'choice'
    ? kindOf(column.field.type).text(value, column.field, context) || value
    : kindOf(column.field.type).text(value, column.field, context);
