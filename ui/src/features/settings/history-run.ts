import { beginEventImport, finishEventImport, type ImportedEvents, importEvents } from '@/api';
import { saveText } from '@/lib/download';
import { type Line, linesOf, type Message } from '@/records/file-lines';
import { type EventMapping, messageOf } from './history-file';

interface Reason {
  message: string;
  count: number;
  /** The first record that it befell. */
  first: number;
}
interface Refused {
  number: number;
  message: string;
  record: unknown;
}
/** How far a run is. */
export interface Tally {
  read: number;
  accepted: number;
  duplicate: number;
  rejected: number;
  reasons: Map<string, Reason>;
  refused: Refused[];
}
export const emptyTally = (): Tally => ({
  read: 0,
  accepted: 0,
  duplicate: 0,
  rejected: 0,
  reasons: new Map(),
  refused: [],
});

/** So many records go in one request, and so many refused ones are kept for the file. */
const AT_ONCE = 500;
const MOST_BYTES = 400_000;
const MOST_REFUSED = 50_000;

interface Run {
  file: File;
  mapping: EventMapping | null;
  source: string;
  dry: boolean;
  tally: Tally;
  signal: AbortSignal;
  onMove: () => void;
}
interface Waiting {
  line: Line;
  message: Message;
}

function refuse(tally: Tally, line: Line, message: string) {
  tally.rejected++;
  const reason = tally.reasons.get(message) ?? { message, count: 0, first: line.number };
  reason.count++;
  tally.reasons.set(message, reason);
  if (tally.refused.length < MOST_REFUSED)
    tally.refused.push({ number: line.number, message, record: line.cells ?? line.message });
}

function take(tally: Tally, batch: readonly Waiting[], answer: ImportedEvents) {
  tally.accepted += answer.accepted;
  tally.duplicate += answer.duplicate;
  for (const one of answer.rejected) {
    const waiting = batch[one.index];
    if (waiting !== undefined) refuse(tally, waiting.line, one.message);
  }
}

/** Sends a file piece by piece. What was accepted stays when it is stopped; the same file again brings nothing twice. */
export async function run({ file, mapping, source, dry, tally, signal, onMove }: Run): Promise<void> {
  const part = dry ? undefined : (await beginEventImport(source, file.name)).id;
  let batch: Waiting[] = [];
  let bytes = 0;
  const send = async () => {
    signal.throwIfAborted();
    if (batch.length > 0)
      take(
        tally,
        batch,
        await importEvents(
          source,
          batch.map((one) => one.message),
          dry,
          signal,
          part,
        ),
      );
    batch = [];
    bytes = 0;
    onMove();
  };
  let head = mapping !== null;
  for await (const line of linesOf(file)) {
    if (head) {
      head = false;
      continue;
    }
    tally.read++;
    const message = mapping !== null && line.cells !== undefined ? messageOf(line.cells, mapping) : line.message;
    if (message === null || message === undefined) {
      // A line that is no object is told by the program in its own words.
      batch.push({ line, message: {} });
    } else batch.push({ line, message });
    bytes += JSON.stringify(message ?? {}).length;
    if (batch.length >= AT_ONCE || bytes >= MOST_BYTES) await send();
  }
  await send();
  if (part !== undefined) await finishEventImport(part);
}

/** The records that were refused, each with its reason, one JSON object a line. */
export const refusedFile = (name: string, tally: Tally): void =>
  saveText(
    `${name}-rejected.ndjson`,
    `${tally.refused.map((one) => JSON.stringify({ line: one.number, reason: one.message, record: one.record })).join('\n')}\n`,
  );
