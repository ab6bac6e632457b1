import { readRows } from '@/api';

/** Reading a file as records, piece by piece: CSV with a head, or a JSON object a line; gzip or not; workbooks and Parquet by way of the program. */

export type Message = Record<string, unknown>;

/** Rows of CSV out of pieces of text; quoted cells may hold commas and line breaks. */
export class CsvRows {
  private cell = '';
  private row: string[] = [];
  private quoted = false;
  private afterQuote = false;
  private begun = false;
  constructor(private readonly separator: string) {}

  private endRow(out: string[][]) {
    this.row.push(this.cell);
    if (this.row.length > 1 || this.cell !== '') out.push(this.row);
    this.row = [];
    this.cell = '';
    this.begun = false;
  }

  push(text: string): string[][] {
    const out: string[][] = [];
    for (const char of text) {
      if (this.quoted) {
        if (char === '"') {
          this.quoted = false;
          this.afterQuote = true;
        } else this.cell += char;
        continue;
      }
      if (char === '"' && this.afterQuote) {
        this.cell += '"';
        this.quoted = true;
      } else if (char === '"' && !this.begun) this.quoted = true;
      else if (char === this.separator) {
        this.row.push(this.cell);
        this.cell = '';
        this.begun = false;
        this.afterQuote = false;
        continue;
      } else if (char === '\n') this.endRow(out);
      else if (char !== '\r') this.cell += char;
      this.afterQuote = false;
      this.begun = this.cell !== '' || this.quoted;
    }
    return out;
  }

  end(): string[][] {
    const out: string[][] = [];
    if (this.cell !== '' || this.row.length > 0) this.endRow(out);
    return out;
  }
}

/** What separates the cells of a head. */
export const separatorOf = (line: string): string =>
  [',', '\t', ';'].toSorted((left, right) => line.split(right).length - line.split(left).length)[0] ?? ',';

async function* pieces(file: File): AsyncGenerator<string> {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const zipped = start[0] === 0x1f && start[1] === 0x8b;
  const bytes = zipped ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
  const reader = bytes.pipeThrough(new TextDecoderStream('utf-8')).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

export interface Line {
  /** From 1; of a sheet the head is line 1. */
  number: number;
  /** Of a sheet. */
  cells?: string[];
  /** Of a line of JSON; null where it is none. */
  message?: Message | null;
}

const parse = (text: string): Message | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : null;
  } catch {
    return null;
  }
};

const converted = new WeakMap<File, Promise<Blob>>();

/** Whether a file is a workbook or Parquet, by how it begins. */
async function isBinary(file: File): Promise<boolean> {
  const start = new TextDecoder('latin1').decode(await file.slice(0, 4).arrayBuffer());
  return start === 'PAR1' || start.startsWith('PK\u0003\u0004');
}

/** The rows of a file that the program reads, once for each file. */
async function* rowsOf(file: File): AsyncGenerator<Line> {
  const rows = converted.get(file) ?? readRows(file);
  converted.set(file, rows);
  rows.catch(() => converted.delete(file));
  let number = 0;
  let rest = '';
  const reader = (await rows).stream().pipeThrough(new TextDecoderStream('utf-8')).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const lines = (rest + next.value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const row: unknown = JSON.parse(line);
      number++;
      yield Array.isArray(row) ? { number, cells: row as string[] } : { number, message: null };
    }
  }
}

/** Every record of a file. The first line of a sheet, its head, is among them. */
export async function* linesOf(file: File): AsyncGenerator<Line> {
  if (await isBinary(file)) {
    yield* rowsOf(file);
    return;
  }
  let csv: CsvRows | null = null;
  let json: boolean | null = null;
  let rest = '';
  let number = 0;
  for await (const piece of pieces(file)) {
    rest += piece;
    if (json === null) {
      const begin = rest.replace(/^\ufeff/, '').trimStart();
      if (begin === '') continue;
      json = begin.startsWith('{');
      rest = begin;
      if (!json) csv = new CsvRows(separatorOf(rest.split('\n', 1)[0] ?? ''));
    }
    if (csv !== null) {
      for (const cells of csv.push(rest)) yield { number: ++number, cells };
      rest = '';
      continue;
    }
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      number++;
      if (line.trim() !== '') yield { number, message: parse(line) };
    }
  }
  for (const cells of csv?.end() ?? []) yield { number: ++number, cells };
  if (csv === null && rest.trim() !== '') yield { number: number + 1, message: parse(rest) };
}
