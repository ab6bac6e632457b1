import { type ClipboardEvent, useEffect, useRef } from 'react';
import type { RecordData } from '@/api';
import { type FieldContext, kindOf } from '@/fields';
import { loadWords } from '@/i18n';
import { useEvent } from '@/lib/hooks';
import { cellValue } from '../cell-value';
import type { GridColumn } from './columns';
import type { Range } from './range';
import type { Active } from './use-grid-keys';

/** Texts on their way into cells: one row for each record, aligned with the columns. */
export interface PastedCells {
  records: RecordData[];
  columns: GridColumn[];
  texts: string[][];
}

export interface ClipboardOptions {
  busy: boolean;
  readOnly: boolean;
  active: Active | null;
  range: Range | null;
  columns: readonly GridColumn[];
  context: FieldContext;
  rows: {
    count: number;
    rowAt: (row: number) => RecordData | undefined;
    read: (row: number) => Promise<RecordData | undefined>;
  };
  onEdit: (record: RecordData, column: GridColumn, value: unknown) => void;
  onPaste?: ((cells: PastedCells) => void) | undefined;
}

type Tools = typeof import('./clipboard-range');
const load = (): Promise<Tools> =>
  Promise.all([import('./clipboard-range'), loadWords('views')]).then(([tools]) => tools);

/** A single cell is copied and pasted here; what works on several is loaded once a range was chosen. */
export function useClipboard(options: ClipboardOptions) {
  const { busy, readOnly, active, range, columns, context, rows } = options;
  const tools = useRef<Tools | null>(null);
  const chosen = range !== null;
  useEffect(() => {
    if (chosen)
      load().then((loaded) => {
        tools.current = loaded;
      });
  }, [chosen]);

  const onCopy = useEvent((event: ClipboardEvent) => {
    if (busy || active === null || active.row < 0) return;
    event.preventDefault();
    const record = rows.rowAt(active.row);
    const column = columns[active.column];
    const put = (text: string) => event.clipboardData.setData('text/plain', text);
    if (range === null) {
      if (record !== undefined && column !== undefined)
        put(kindOf(column.field.type).text(cellValue(record, column.key), column.field, context));
    } else if (tools.current !== null) tools.current.copyRange(options, range, put);
    else load().then((loaded) => loaded.copyRange(options, range, (text) => void navigator.clipboard.writeText(text)));
  });

  const onPaste = useEvent((event: ClipboardEvent) => {
    if (busy || active === null || active.row < 0 || readOnly) return;
    const text = event.clipboardData.getData('text/plain');
    if (text === '') return;
    event.preventDefault();
    const record = rows.rowAt(active.row);
    const column = columns[active.column];
    const bare = text.replace(/\r?\n$/, '');
    // Names of people and records are looked up, which takes the way of several cells.
    const found = column?.field.type === 'relation' || column?.field.type === 'user';
    if (range !== null || /[\t\n]/.test(bare) || found) {
      load().then((loaded) => loaded.pasteText(options, text));
      return;
    }
    if (record === undefined || column === undefined) return;
    const parsed = kindOf(column.field.type).parse(bare, column.field, context);
    if (column.editable && parsed.ok) options.onEdit(record, column, parsed.value);
    else load().then((loaded) => loaded.refuse(column, bare));
  });

  return { onCopy, onPaste, clear: useEvent(() => !readOnly && load().then((loaded) => loaded.clearRange(options))) };
}
