import type { Message } from '@/records/file-lines';

/** What the columns of a file of events mean, and a row as a message. */

export const COLUMN_TARGETS = ['type', 'event', 'userId', 'anonymousId', 'timestamp', 'messageId'] as const;
export type ColumnTarget = (typeof COLUMN_TARGETS)[number] | 'property' | 'ignore';

export interface EventMapping {
  /** By the place of the column. */
  targets: ColumnTarget[];
  head: string[];
  /** The name of every event where no column says one. */
  event: string;
}

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
