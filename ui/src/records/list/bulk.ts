import {
  api,
  type BatchOperation,
  batchRecords,
  type Condition,
  type RecordData,
  type RecordPage,
  restoreRecord,
} from '@/api';
import { asList } from '@/fields';
import type { Selection } from '../grid/selection';

/** What the server takes in one request. */
const CHUNK = 500;

export interface Progress {
  done: number;
  total: number;
}
export interface BulkResult {
  /** Ids that were changed, for taking it back. */
  ids: string[];
  /** What undoes it, one operation per changed record; empty where that is done in another way. */
  undo: BatchOperation[];
  failed: number;
  firstError: string | null;
}

interface Question {
  object: string;
  where: Condition | null;
  search: string;
  deleted: boolean;
}

type Picked = Pick<RecordData, 'id' | 'version' | 'fields'>;

/** Goes through everything that is selected in portions; "all" is read from the server page by page. */
export async function* selectedRecords(
  selection: Selection,
  question: Question,
  fields: string[],
  signal: AbortSignal,
): AsyncGenerator<Picked[]> {
  if (selection.mode === 'some') {
    const ids = [...selection.ids];
    for (let at = 0; at < ids.length; at += CHUNK) {
      const part = ids.slice(at, at + CHUNK);
      const where: Condition = { field: 'id', op: 'in', value: part };
      const page = await readPage({ ...question, where, search: '' }, fields, '', signal);
      yield page.items;
    }
    return;
  }
  // All of them are read before anything changes: a change could move records between pages.
  const all: Picked[] = [];
  let cursor = '';
  do {
    const page = await readPage(question, fields, cursor, signal);
    for (const { id, version, fields: values } of page.items)
      if (!selection.except.has(id)) all.push({ id, version, fields: values });
    cursor = page.next_cursor ?? '';
  } while (cursor !== '');
  for (let at = 0; at < all.length; at += CHUNK) yield all.slice(at, at + CHUNK);
}

const readPage = (question: Question, fields: string[], cursor: string, signal: AbortSignal) =>
  api.post<RecordPage>(
    `/records/${question.object}/query`,
    {
      ...(question.where !== null && { where: question.where }),
      ...(question.search !== '' && { search: question.search }),
      ...(question.deleted && { deleted: true }),
      // By id: the order stays the same while records change.
      sort: [{ field: 'id', desc: false }],
      fields,
      limit: CHUNK,
      ...(cursor !== '' && { cursor }),
    },
    { signal },
  );

export const withTags = (old: unknown, add: readonly string[], remove: readonly string[]): string[] => {
  const tags = asList(old)
    .map(String)
    .filter((tag) => !remove.includes(tag));
  return [...tags, ...add.filter((tag) => !tags.includes(tag))];
};

/** Puts the fields of an update back, unless somebody changed the record in the meantime (the version says so). */
function inverse(before: Picked, change: BatchOperation, after: RecordData | undefined): BatchOperation | null {
  if (change.op !== 'update' || change.fields === undefined || after === undefined) return null;
  const fields = Object.fromEntries(Object.keys(change.fields).map((key) => [key, before.fields[key] ?? null]));
  return { op: 'update', id: before.id, version: after.version, fields };
}

/** Sends operations that are known already, in portions. */
export function runOperations(
  object: string,
  operations: readonly BatchOperation[],
  onDone: (count: number) => void,
): Promise<BulkResult> {
  const byId = new Map(operations.map((operation) => [operation.id ?? '', operation]));
  const records = [...byId].map(([id, { version = 0 }]) => ({ id, version, fields: {} }));
  async function* portions() {
    for (let at = 0; at < records.length; at += CHUNK) yield records.slice(at, at + CHUNK);
  }
  return runBatch(object, portions(), (record) => byId.get(record.id) ?? null, onDone);
}

/** Sends one operation per record, in portions; what the server refuses is counted, the rest goes on. */
export async function runBatch(
  object: string,
  portions: AsyncIterable<Picked[]>,
  operation: (record: Picked) => BatchOperation | null,
  onDone: (count: number) => void,
): Promise<BulkResult> {
  const result: BulkResult = { ids: [], undo: [], failed: 0, firstError: null };
  for await (const portion of portions) {
    const changes = portion
      .map((record) => ({ record, change: operation(record) }))
      .filter((one): one is { record: Picked; change: BatchOperation } => one.change !== null);
    const operations = changes.map((one) => one.change);
    if (operations.length > 0) {
      const { results } = await batchRecords(object, operations);
      for (const [at, answer] of results.entries()) {
        const done = changes[at];
        if (answer.status < 400 && done !== undefined) {
          result.ids.push(done.record.id);
          const back = inverse(done.record, done.change, answer.record);
          if (back !== null) result.undo.push(back);
        } else {
          result.failed++;
          result.firstError ??= answer.error?.detail || answer.error?.title || String(answer.status);
        }
      }
    }
    onDone(portion.length);
  }
  return result;
}

/** Takes records out of the recycle bin, four at a time. */
export async function restoreAll(object: string, ids: readonly string[], onDone: () => void): Promise<BulkResult> {
  const result: BulkResult = { ids: [], undo: [], failed: 0, firstError: null };
  const waiting = [...ids];
  const worker = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await restoreRecord(object, id);
        result.ids.push(id);
      } catch (error) {
        result.failed++;
        result.firstError ??= error instanceof Error ? error.message : String(error);
      }
      onDone();
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return result;
}
