import { type Day, zonedToUtc } from '@/lib/day';

/** What the columns of a file of consents mean, and a row as a statement. */
export const PARTS = [
  'customer',
  'purpose',
  'channel',
  'state',
  'time',
  'wording',
  'source',
  'page',
  'note',
  'guardian',
] as const;
export type Part = (typeof PARTS)[number];
export type Target = Part | 'ignore';
/** Without these nobody knows who said what. */
export const MUST: readonly Part[] = ['customer', 'purpose', 'state'];

/** The fields of customers by which a file may name them. */
export const BY = ['external_id', 'phone', 'email', 'card_number', 'id'] as const;
export type By = (typeof BY)[number];

export interface Column {
  head: string;
  target: Target;
}
/** Words of a language for parts and values, in lower case and without spaces. */
export type Words = (key: string) => readonly string[];

const plain = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]/g, '');
const OWN: Record<Part, readonly string[]> = {
  customer: ['customer', 'customerid', 'externalid', 'phone', 'email', 'mobile', 'id'],
  purpose: ['purpose'],
  channel: ['channel'],
  state: ['state', 'status', 'consent', 'given'],
  time: ['time', 'at', 'date', 'datetime', 'saidat'],
  wording: ['wording', 'version'],
  source: ['source'],
  page: ['page', 'url'],
  note: ['note', 'remark'],
  guardian: ['guardian'],
};

/** What heads most likely mean; each part once. */
export function guess(head: readonly string[], words: Words): Column[] {
  const taken = new Set<Part>();
  return head.map((name) => {
    const found = PARTS.find(
      (part) => !taken.has(part) && (OWN[part].includes(plain(name)) || words(`heads.${part}`).includes(plain(name))),
    );
    if (found !== undefined) taken.add(found);
    return { head: name, target: found ?? 'ignore' };
  });
}

const CLOCK = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/;
/** An instant; a day or a time without a zone is one of the workspace's. The text itself where it is neither, which the program refuses in its words. */
export function instantOf(text: string, timeZone: string): string {
  const found = CLOCK.exec(text.trim());
  if (found === null) return text.trim();
  const [, year = '', month = '', day = '', hour = '0', minute = '00', second = '00'] = found;
  const two = (part: string) => part.padStart(2, '0');
  const at: Day = `${year}-${two(month)}-${two(day)}`;
  if (Number.isNaN(Date.parse(`${at}T00:00:00Z`))) return text.trim();
  return zonedToUtc(at, `${two(hour)}:${minute}:${second}`, timeZone);
}

/** Two halves of 53 bits of a text: the same row written twice is one line of the ledger. */
function mark(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  let c = 0x9e3779b9;
  let d = 0x85ebca6b;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
    c = Math.imul(c ^ code, 2246822519);
    d = Math.imul(d ^ (code + at), 3266489917);
  }
  return [a ^ (b >>> 15), b ^ (c >>> 13), c ^ (d >>> 16), d ^ (a >>> 14)]
    .map((part) => (part >>> 0).toString(16).padStart(8, '0'))
    .join('');
}

export interface Statement {
  customer: string;
  purpose: string;
  channel: string;
  state: string;
  at?: string;
  wording?: number;
  source?: string;
  page?: string;
  note?: string;
  guardian?: boolean;
  once: string;
}

/** Keys and names by which values of purposes, channels, states and sources are known. */
export type Names = Record<'purpose' | 'channel' | 'state' | 'source', ReadonlyMap<string, string>>;
export const namesOf = (pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, string> =>
  new Map(pairs.flatMap(([key, name]) => [[plain(key), key] as const, [plain(name), key] as const]));

/** A row as a statement: values by key or by name, anything unknown as it stands, which the program refuses in its words. */
export function statementOf(
  cells: readonly string[],
  columns: readonly Column[],
  names: Names,
  timeZone: string,
): Statement {
  const of = (part: Part) => (cells[columns.findIndex((column) => column.target === part)] ?? '').trim();
  const known = (part: keyof Names) => names[part].get(plain(of(part))) ?? of(part);
  const text = (part: 'page' | 'note') => (of(part) === '' ? {} : { [part]: of(part) });
  const wording = of('wording');
  return {
    customer: of('customer'),
    purpose: known('purpose'),
    channel: of('channel') === '' ? 'any' : known('channel'),
    state: known('state'),
    ...(of('time') !== '' && { at: instantOf(of('time'), timeZone) }),
    // What is no number is no version, and refused as such.
    ...(wording !== '' && { wording: /^\d{1,9}$/.test(wording) ? Number(wording) : -1 }),
    ...(of('source') !== '' && { source: known('source') }),
    ...text('page'),
    ...text('note'),
    ...(names.state.get(plain(of('guardian'))) === 'given' && { guardian: true }), // whatever says yes
    once: `file:${mark(columns.map((column, at) => `${column.target}\u0000${(cells[at] ?? '').trim()}`).join('\u0001'))}`,
  };
}
