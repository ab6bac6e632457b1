import type { FieldError } from './errors';
import type { FieldValues, RecordData, Ref } from './types';

/**
 * waiting: goes out with the next connection. refused: the server said why not; it can be changed and sent again.
 * conflict: somebody else changed the same fields. unsure: it may have arrived long ago, and a person has to look.
 */
export type WaitingState = 'waiting' | 'refused' | 'conflict' | 'unsure';

/** Something written without a connection. */
export interface Waiting {
  /** Sorts by the time of writing. */
  id: string;
  /** Idempotency-Key of the request; another one whenever the content changes. */
  key: string;
  /** When it was written. */
  at: string;
  kind: 'create' | 'update' | 'file';
  object: string;
  /** The record that is changed, or that gets the file; empty for a record that does not exist yet. */
  record: string;
  /** What it is about. */
  about: Ref | null;
  title: string;
  /** As shown, and as sent. */
  fields: FieldValues;
  write: FieldValues;
  /** Of a change: what the fields were, at which version. */
  before: FieldValues;
  version: number;
  /** Of a file: the waiting record that it belongs to. */
  needs: string;
  file: { name: string; type: string; size: number } | null;
  state: WaitingState;
  problem: string;
  errors: readonly FieldError[];
  /** Of a conflict: the record as the server has it. */
  current: RecordData | null;
  /** Milliseconds of the first attempt that got no answer: it may have arrived. 0 for none. */
  triedAt: number;
}

/** It can be changed or taken back as long as it cannot have arrived. */
export const isUntried = (item: Waiting): boolean => item.triedAt === 0;
export const needsPerson = (item: Waiting): boolean => item.state !== 'waiting';

/** Of some waiting things, those about a record or of the record itself. */
export const waitingAbout = (items: readonly Waiting[], id: string): Waiting[] =>
  items.filter((item) => item.kind === 'create' && item.about?.id === id);

/** A record with the changes that wait laid over it. */
export function withWaiting(record: RecordData, items: readonly Waiting[]): RecordData {
  const mine = items.filter((item) => item.kind === 'update' && item.record === record.id && item.state !== 'conflict');
  if (mine.length === 0) return record;
  return { ...record, fields: Object.assign({}, record.fields, ...mine.map((item) => item.fields)) };
}

const plain = (value: unknown): unknown => {
  if (value === undefined || value === '') return null;
  if (typeof value === 'object' && value !== null && 'id' in value) return (value as { id: unknown }).id;
  return value;
};
export const sameValue = (left: unknown, right: unknown): boolean =>
  JSON.stringify(plain(left)) === JSON.stringify(plain(right));
