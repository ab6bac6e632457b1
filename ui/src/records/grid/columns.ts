import type { Field, Label, ObjectType, Trait } from '@/api';
import { kindOf } from '@/fields';
import { type Language, labelText } from '@/i18n';
import { canEdit, canRead, findField, groupTraits, sectionOf, traitAsField } from '@/metadata';
import { TRAIT } from '../cell-value';

export interface GridColumn {
  /** A field's key, or "trait.spend_total". */
  key: string;
  field: Field;
  label: string;
  width: number;
  align: 'left' | 'right';
  sortable: boolean;
  editable: boolean;
}

export const MIN_WIDTH = 64;
export const MAX_WIDTH = 640;
export const clampWidth = (width: number): number => Math.round(Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, width)));

/** Lists of other records are not in a row; related lists show them. */
const inRows = (field: Field): boolean => canRead(field) && field.type !== 'relation_many';

function fieldOf(key: string, object: ObjectType, traits: readonly Trait[]): Field | null {
  if (key.startsWith(TRAIT)) {
    const trait = traits.find((candidate) => candidate.key === key.slice(TRAIT.length));
    return trait === undefined ? null : traitAsField(trait);
  }
  const field = findField(object, key);
  return field !== undefined && inRows(field) ? field : null;
}

export interface ColumnOptions {
  object: ObjectType;
  traits: readonly Trait[];
  language: Language;
  widths: Readonly<Record<string, number>>;
}

/** The columns of a list; the title is always the first, and keys that nobody knows (any more) are left out. */
export function makeColumns(
  keys: readonly string[],
  { object, traits, language, widths }: ColumnOptions,
): GridColumn[] {
  const ordered = [object.title_field, ...keys.filter((key) => key !== object.title_field)];
  const columns: GridColumn[] = [];
  for (const key of new Set(ordered)) {
    const field = fieldOf(key, object, traits);
    if (field === null) continue;
    const kind = kindOf(field.type);
    const usual = key === object.title_field ? Math.max(230, field.width ?? 0) : (field.width ?? kind.width);
    columns.push({
      key,
      field,
      label: labelText(field.label, language, key),
      width: clampWidth(widths[key] ?? usual),
      align: kind.align,
      sortable: field.sortable,
      editable: canEdit(field, object) && !key.startsWith(TRAIT),
    });
  }
  return columns;
}

/** Takes a column to another place; the title stays in front. */
export function moveColumn(keys: readonly string[], key: string, to: number): string[] {
  const from = keys.indexOf(key);
  if (from <= 0) return [...keys];
  const rest = keys.filter((other) => other !== key);
  rest.splice(Math.max(1, Math.min(to, rest.length)), 0, key);
  return rest;
}

export function toggleColumn(keys: readonly string[], key: string): string[] {
  if (keys.indexOf(key) === 0) return [...keys];
  return keys.includes(key) ? keys.filter((other) => other !== key) : [...keys, key];
}

export interface ColumnGroup {
  key: string;
  label: Label | null;
  columns: { key: string; label: string; keywords: string }[];
}

/** Everything that could be a column: fields by section, then traits by group. */
export function columnCatalogue(object: ObjectType, traits: readonly Trait[], language: Language): ColumnGroup[] {
  const groups = new Map<string, ColumnGroup>();
  for (const field of object.fields) {
    if (!inRows(field)) continue;
    const key = sectionOf(field);
    const group = groups.get(key) ?? { key, label: null, columns: [] };
    group.columns.push({ key: field.key, label: labelText(field.label, language, field.key), keywords: field.key });
    groups.set(key, group);
  }
  return [
    ...groups.values(),
    ...groupTraits(traits).map((group) => ({
      key: `${TRAIT}${group.key}`,
      label: group.label,
      columns: group.traits.map((trait) => ({
        key: `${TRAIT}${trait.key}`,
        label: labelText(trait.label, language, trait.key),
        keywords: trait.key,
      })),
    })),
  ];
}

/** How many columns stay in sight at the left: at least the title, at most four. */
export const frozenCount = (wanted: number | undefined, columns: number): number =>
  Math.max(1, Math.min(wanted ?? 1, 4, Math.max(1, columns)));

/** Left edges of the columns after the frozen ones, and the whole width of them. */
export function columnEdges(columns: readonly GridColumn[], frozen = 1): number[] {
  const edges = [0];
  for (const column of columns.slice(frozen)) edges.push((edges.at(-1) ?? 0) + column.width);
  return edges;
}

/** Where the frozen columns stand, from the left edge of the first. */
export const frozenLefts = (columns: readonly GridColumn[], frozen: number): number[] =>
  columns.slice(0, frozen).map((_, at) => columns.slice(0, at).reduce((sum, column) => sum + column.width, 0));
export const frozenWidth = (columns: readonly GridColumn[], frozen: number): number =>
  columns.slice(0, frozen).reduce((sum, column) => sum + column.width, 0);

/** Which of the columns after the frozen ones are in sight: [first, end) as column numbers. */
export function columnWindow(edges: readonly number[], scrollLeft: number, room: number, frozen = 1): [number, number] {
  const count = edges.length - 1;
  let first = 0;
  while (first < count - 1 && (edges[first + 1] ?? 0) < scrollLeft - 120) first++;
  let end = first;
  while (end < count && (edges[end] ?? 0) < scrollLeft + room + 120) end++;
  return [first + frozen, end + frozen];
}
