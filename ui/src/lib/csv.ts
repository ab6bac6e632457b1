import { saveText } from './download';

export type CsvCell = string | number | null;

/** A cell that a spreadsheet would take for a formula is held back by an apostrophe: names come from strangers. */
function cell(value: CsvCell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvText = (head: readonly string[], rows: readonly (readonly CsvCell[])[]): string =>
  `\ufeff${[head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;

export const saveCsv = (name: string, head: readonly string[], rows: readonly (readonly CsvCell[])[]): void =>
  saveText(`${name}.csv`, csvText(head, rows));
