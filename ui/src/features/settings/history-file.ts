/** Reading a file of events as records, piece by piece: CSV with a head, or a JSON object a line; gzip or not. */

export const COLUMN_TARGETS = ['type', 'event', 'userId', 'anonymousId', 'timestamp', 'messageId'] as const;
export type ColumnTarget = (typeof COLUMN_TARGETS)[number] | 'property' | 'ignore';

export interface EventMapping {
  /** By the place of the column. */
  targets: ColumnTarget[];
  head: string[];
  /** The name of every event where no column says one. */
  event: string;
}
export type Message = Record<string, unknown>;

type Part = (typeof COLUMN_TARGETS)[number];
/** Heads as they are written in a language, in lower case and without spaces. */
export type Heads = (target: Part) => readonly string[];
const NAMES: Record<Part, readonly string[]> = {
  type: ['type'],
  event: ['event', 'eventname', 'name'],
  userId: ['userid', 'user', 'customerid', 'externalid'],
  anonymousId: ['anonymousid', 'anonymous', 'visitorid', 'deviceid'],
  timestamp: ['timestamp', 'time', 'at', 'date', 'datetime', 'originaltimestamp'],
  messageId: ['messageid', 'eventid', 'id'],
};

/** What a head most likely means; each part once, anything else is a property. */
export function guess(head: readonly string[], heads: Heads): ColumnTarget[] {
  const taken = new Set<string>();
  return head.map((column) => {
    const plain = column.toLowerCase().replaceAll(/[\s_-]/g, '');
    const found = COLUMN_TARGETS.find(
      (target) => !taken.has(target) && (NAMES[target].includes(plain) || heads(target).includes(plain)),
    );
    if (found !== undefined) taken.add(found);
    return found ?? 'property';
  });
}

/** Numbers and truths of a sheet are such; what has a leading zero or would not be written the same is a text. */
function cellValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text.trim() !== '' && String(number) === text ? number : text;
}

/** A row of a sheet as a message of the Segment API. */
export function messageOf(row: readonly string[], mapping: EventMapping): Message {
  const message: Message = { type: 'track' };
  const properties: Message = {};
  mapping.targets.forEach((target, at) => {
    const text = row[at] ?? '';
    if (target === 'ignore' || text === '') return;
    if (target === 'property') properties[mapping.head[at] ?? ''] = cellValue(text);
    else message[target] = text;
  });
  if (message.event === undefined && mapping.event !== '') message.event = mapping.event;
  const own = message.type === 'identify' || message.type === 'group' ? 'traits' : 'properties';
  return { ...message, [own]: properties };
}

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

/** Every record of a file. The first line of a sheet, its head, is among them. */
export async function* linesOf(file: File): AsyncGenerator<Line> {
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
