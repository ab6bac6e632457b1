import { createEmitter } from '@/lib/emitter';
import type { Vault } from '@/lib/vault';
import { api } from '../client';
import { connectionStore } from '../connection';
import { ApiError, isApiError } from '../errors';
import { keptOwner, waitingStore } from '../keep';
import type { FieldValues, Items, RecordData, Ref } from '../types';
import { upload } from '../upload';
import { isUntried, sameValue, type Waiting } from '../waiting';
import { vaultOf } from './answers';

/** The server repeats the answer of a request for a day; afterwards the same request would be done again. */
const REPEATABLE = 23 * 3600 * 1000;

/** Something arrived: the record as the server has it. */
export const arrived = createEmitter<{ item: Waiting; record: RecordData | null }>();

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('guanxi.waiting');
let last = 0;
/** Ids sort by the time of writing, also within one millisecond. */
function nextId(): string {
  last = Math.max(last + 1, Date.now());
  return `${last.toString(36).padStart(10, '0')}-${crypto.randomUUID().slice(0, 8)}`;
}

const mine = (): Promise<Vault> => vaultOf(keptOwner());

/** Reads what waits into the store on screen. */
export async function loadWaiting(): Promise<readonly Waiting[]> {
  const items = (await (await mine()).all<Waiting>('waiting')).map((row) => row.value);
  waitingStore.set(items);
  return items;
}

async function put(item: Waiting): Promise<void> {
  await (await mine()).write('waiting', item.id, item, Date.parse(item.at));
}
async function changed(): Promise<void> {
  await loadWaiting();
  channel?.postMessage('changed');
}
if (channel !== null) channel.onmessage = () => void loadWaiting().catch(() => undefined);

const blank = (object: string, title: string): Waiting => ({
  id: nextId(),
  key: crypto.randomUUID(),
  at: new Date().toISOString(),
  kind: 'create',
  object,
  record: '',
  about: null,
  title,
  fields: {},
  write: {},
  before: {},
  version: 0,
  needs: '',
  file: null,
  state: 'waiting',
  problem: '',
  errors: [],
  current: null,
  triedAt: 0,
});

export interface NewWriting {
  object: string;
  title: string;
  about: Ref | null;
  fields: FieldValues;
  write: FieldValues;
  /** The key of an attempt that got no answer. */
  key?: string;
}

/** Keeps a new record until it can be sent. */
export async function keepNew(input: NewWriting): Promise<Waiting> {
  const { key, ...rest } = input;
  const item: Waiting = { ...blank(input.object, input.title), ...rest, ...(key && { key, triedAt: Date.now() }) };
  await put(item);
  await changed();
  return item;
}

/** Keeps changed fields of a record until they can be sent. Changes of one record that cannot have arrived become one. */
export async function keepChange(record: RecordData, fields: FieldValues, write: FieldValues): Promise<void> {
  const items = await loadWaiting();
  const before = Object.fromEntries(Object.keys(fields).map((key) => [key, record.fields[key] ?? null]));
  const open = items.find(
    (item) => item.kind === 'update' && item.record === record.id && item.state === 'waiting' && isUntried(item),
  );
  if (open === undefined) {
    await put({
      ...blank(record.object, record.title),
      kind: 'update',
      record: record.id,
      fields,
      write,
      before,
      version: record.version,
    });
    await changed();
    return;
  }
  const merged: Waiting = {
    ...open,
    fields: { ...open.fields, ...fields },
    write: { ...open.write, ...write },
    before: { ...before, ...open.before },
  };
  // Put back to what it was: nothing is left to send.
  const nothing = Object.entries(merged.fields).every(([key, value]) => sameValue(value, merged.before[key]));
  if (nothing) await (await mine()).remove('waiting', open.id);
  else await put(merged);
  await changed();
}

/** Keeps a picture for a record, or for one that itself still waits. */
export async function keepFile(target: { object: string; record: string; needs: string }, file: File): Promise<void> {
  const vault = await mine();
  const item: Waiting = {
    ...blank(target.object, file.name),
    ...target,
    kind: 'file',
    file: { name: file.name, type: file.type, size: file.size },
  };
  await vault.write('files', item.id, await file.arrayBuffer());
  await put(item);
  await changed();
}

/** Changes something that waits, or was refused, and lets it go out again as a request of its own. */
export async function rewrite(item: Waiting, fields: FieldValues, write: FieldValues, title: string): Promise<void> {
  await put({
    ...item,
    key: crypto.randomUUID(),
    fields,
    write,
    title,
    state: 'waiting',
    problem: '',
    errors: [],
    triedAt: 0,
  });
  await changed();
}

/** Takes something back, and the files that belong to it. */
export async function discard(item: Waiting): Promise<void> {
  const vault = await mine();
  const gone = [item, ...waitingStore.get().filter((other) => other.needs === item.id)];
  for (const each of gone) {
    await vault.remove('waiting', each.id);
    await vault.remove('files', each.id);
  }
  await changed();
}

/** Of a conflict: mine is laid over what the server has. */
export async function takeMine(item: Waiting): Promise<void> {
  if (item.current === null) return;
  const before = Object.fromEntries(Object.keys(item.fields).map((key) => [key, item.current?.fields[key] ?? null]));
  await put({ ...item, version: item.current.version, before, current: null, state: 'waiting', triedAt: 0 });
  await changed();
}

/** A person has looked: it did not arrive. */
export async function sendAgain(item: Waiting): Promise<void> {
  await put({ ...item, key: crypto.randomUUID(), state: 'waiting', problem: '', errors: [], triedAt: 0 });
  await changed();
}

/* Sending */

type Outcome = 'sent' | 'held' | 'stop';

async function sent(vault: Vault, item: Waiting, record: RecordData | null): Promise<Outcome> {
  for (const other of await loadWaiting()) {
    if (record !== null && other.needs === item.id) await put({ ...other, record: record.id, needs: '' });
    // What was written later on the same record goes on from the version that this one made.
    if (record !== null && other.id !== item.id && other.kind === 'update' && other.record === record.id)
      await put({ ...other, version: Math.max(other.version, record.version) });
  }
  await vault.remove('waiting', item.id);
  await vault.remove('files', item.id);
  await changed();
  arrived.emit({ item, record });
  return 'sent';
}

async function hold(item: Waiting, patch: Partial<Waiting>): Promise<Outcome> {
  await put({ ...item, ...patch });
  await changed();
  return 'held';
}

/** No answer, or one that says to come back: it goes out later. */
const LATER = new Set([0, 401, 425, 429, 500, 502, 503, 504]);

async function failed(item: Waiting, error: unknown): Promise<Outcome> {
  if (!(error instanceof ApiError)) throw error;
  if (LATER.has(error.status) || error.code === 'api.idempotency_running') {
    // Turned away at the door: it has not arrived. Without an answer nobody knows.
    if (error.status !== 0 && error.status < 500) await hold(item, {});
    return 'stop';
  }
  return await hold(item, { state: 'refused', problem: error.message, errors: error.fields, triedAt: 0 });
}

async function change(vault: Vault, item: Waiting, version: number): Promise<Outcome> {
  try {
    const saved = await api.patch<RecordData>(
      `/records/${item.object}/${item.record}`,
      { fields: item.write },
      { ifMatch: version },
    );
    return await sent(vault, item, saved);
  } catch (error) {
    if (!isApiError(error, 412) || error.current === null) return await failed(item, error);
    const current = error.current as RecordData;
    const keys = Object.keys(item.fields);
    // It arrived the first time, or somebody did the same.
    if (keys.every((key) => sameValue(current.fields[key], item.fields[key]))) return await sent(vault, item, current);
    // Somebody changed other fields: mine still stand on what I saw.
    const apart = keys.every((key) => sameValue(current.fields[key], item.before[key]));
    if (apart && current.version > version) return await change(vault, item, current.version);
    return await hold(item, { state: 'conflict', current });
  }
}

async function sendFile(vault: Vault, item: Waiting): Promise<Outcome> {
  const address = `/records/${item.object}/${item.record}/files`;
  try {
    // Uploads have no key that the server remembers: after an attempt without an answer one looks first.
    if (item.triedAt > 0) {
      const { items } = await api.get<Items<{ name: string; size: number }>>(address);
      if (items.some((file) => file.name === item.file?.name && file.size === item.file.size))
        return await sent(vault, item, null);
    }
    const bytes = await vault.read<ArrayBuffer>('files', item.id);
    if (bytes === null || item.file === null) return await sent(vault, item, null);
    const form = new FormData();
    form.append('file', new File([bytes.value], item.file.name, { type: item.file.type }), item.file.name);
    await upload(address, form);
    return await sent(vault, item, null);
  } catch (error) {
    return await failed(item, error);
  }
}

async function sendOne(vault: Vault, item: Waiting): Promise<Outcome> {
  const old = item.triedAt > 0 && Date.now() - item.triedAt > REPEATABLE;
  if (item.kind === 'create' && old) return await hold(item, { state: 'unsure' });
  // Written down before it is sent: whatever ends this page now, it counts as one that may have arrived.
  await put({ ...item, triedAt: item.triedAt || Date.now() });
  if (item.kind === 'file') return await sendFile(vault, item);
  if (item.kind === 'update') return await change(vault, item, item.version);
  try {
    const made = await api.post<RecordData>(
      `/records/${item.object}`,
      { fields: item.write },
      { idempotencyKey: item.key },
    );
    return await sent(vault, item, made);
  } catch (error) {
    return await failed(item, error);
  }
}

/** Whether something before it has to arrive first: a record before its files, one change of a record before the next. */
const behind = (item: Waiting, before: readonly Waiting[]): boolean =>
  item.needs !== '' ||
  (item.kind === 'update' && before.some((other) => other.kind === 'update' && other.record === item.record));

async function sendAll(): Promise<void> {
  const vault = await mine();
  const held = new Set<string>();
  while (connectionStore.get().online) {
    const items = await loadWaiting();
    const next = items.find(
      (item, at) => item.state === 'waiting' && !held.has(item.id) && !behind(item, items.slice(0, at)),
    );
    if (next === undefined) return;
    const outcome = await sendOne(vault, next);
    if (outcome === 'stop') return;
    held.add(next.id);
  }
}

/** Sends what waits, in order. Of several tabs one sends. */
export async function sendWaiting(): Promise<void> {
  if (keptOwner() === '' || waitingStore.get().length === 0) return;
  await navigator.locks.request(`guanxi.send.${keptOwner()}`, { ifAvailable: true }, async (lock) => {
    if (lock !== null) await sendAll();
  });
}
