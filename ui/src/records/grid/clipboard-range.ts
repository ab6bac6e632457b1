import { errorText, type RecordData } from '@/api';
import { type FieldContext, kindOf } from '@/fields';
import { i18next } from '@/i18n';
import { toast } from '@/ui';
import { cellValue } from '../cell-value';
import type { GridColumn } from './columns';
import type { Range } from './range';
import { fromTsv, toTsv } from './tsv';
import type { ClipboardOptions } from './use-clipboard';

/** As many rows as one request writes. */
export const MOST_ROWS = 1000;

const words = (key: string, values?: Record<string, unknown>): string => i18next.t(key, values ?? {}) as string;
const failed = (error: unknown) => toast.error(words('common:failed.title'), { detail: errorText(error) });

export const cellText = (record: RecordData, column: GridColumn, context: FieldContext): string =>
  kindOf(column.field.type).text(cellValue(record, column.key), column.field, context);

/** The records of rows, read where they are not loaded; heads of groups between them are left out. */
async function recordsOf({ rows }: ClipboardOptions, from: number, to: number): Promise<RecordData[]> {
  const found: RecordData[] = [];
  for (let row = from; row <= Math.min(to, rows.count - 1); row++) {
    const record = await rows.read(row);
    if (record !== undefined) found.push(record);
  }
  return found;
}

/** Copies a rectangle: at once where it is loaded, else after reading the rest. */
export function copyRange(options: ClipboardOptions, range: Range, put: (text: string) => void): void {
  const { top, bottom, left, right } = range;
  if (bottom - top >= MOST_ROWS) {
    toast.error(words('views:range.tooMany', { count: MOST_ROWS }));
    return;
  }
  const chosen = options.columns.slice(left, right + 1);
  const tsv = (records: readonly RecordData[]) =>
    toTsv(records.map((record) => chosen.map((column) => cellText(record, column, options.context))));
  const done = (records: readonly RecordData[]) =>
    toast.ok(words('views:range.copied', { rows: records.length, columns: chosen.length }));
  const here: RecordData[] = [];
  for (let row = top; row <= bottom; row++) {
    const record = options.rows.rowAt(row);
    if (record !== undefined) here.push(record);
  }
  if (here.length === bottom - top + 1) {
    put(tsv(here));
    done(here);
    return;
  }
  recordsOf(options, top, bottom)
    .then(async (records) => {
      await navigator.clipboard.writeText(tsv(records));
      done(records);
    })
    .catch(failed);
}

/** Texts into the cells from a corner on; one text alone fills the whole range. */
function put(options: ClipboardOptions, texts: string[][]): void {
  const { active, range, columns, onPaste } = options;
  if (active === null || onPaste === undefined || texts.length === 0) return;
  const top = range?.top ?? active.row;
  const left = range?.left ?? active.column;
  const fill = texts.length === 1 && texts[0]?.length === 1 && range !== null;
  const height = fill ? range.bottom - top + 1 : texts.length;
  const width = fill ? range.right - left + 1 : Math.max(...texts.map((row) => row.length));
  if (height > MOST_ROWS) {
    toast.error(words('views:range.tooMany', { count: MOST_ROWS }));
    return;
  }
  const chosen = columns.slice(left, left + width);
  recordsOf(options, top, top + height - 1)
    .then((records) =>
      onPaste({
        records,
        columns: chosen,
        texts: records.map((_, row) =>
          chosen.map((_column, at) => (fill ? (texts[0]?.[0] ?? '') : (texts[row]?.[at] ?? ''))),
        ),
      }),
    )
    .catch(failed);
}

export const pasteText = (options: ClipboardOptions, text: string): void => put(options, fromTsv(text));
export const clearRange = (options: ClipboardOptions): void => put(options, [['']]);

/** A single text that does not go into its cell. */
export function refuse(column: GridColumn, text: string): void {
  const key = column.editable ? 'views:range.refused' : 'views:range.fixed';
  toast.error(words(key, { name: column.label, text: text.slice(0, 40) }));
}
