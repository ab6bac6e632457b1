import { storage } from '@/lib/storage';
import { destroyVault, openVault, type Vault } from '@/lib/vault';
import { setSink } from '../keep';
import type { RecordData } from '../types';
import { type Waiting, withWaiting } from '../waiting';

/** About sixty records with what belongs to them, and my days. */
const MOST = 360;
const DAYS = 14 * 24 * 3600 * 1000;

const vaults = new Map<string, Promise<Vault>>();

/** The store of a person, opened once. */
export function vaultOf(owner: string): Promise<Vault> {
  const known = vaults.get(owner);
  if (known !== undefined) return known;
  const opened = openVault(owner);
  vaults.set(owner, opened);
  opened.catch(() => vaults.delete(owner));
  return opened;
}

/** Owners that have a store in this browser. */
const owners = (): string[] => storage.get<string[]>('vaults', []);

/** Keeps what this person sees from now on. What others left here for reading goes; what they have not sent stays. */
export async function keepAnswers(owner: string): Promise<Vault> {
  const vault = await vaultOf(owner);
  const others = owners().filter((other) => other !== owner);
  const remaining: string[] = [];
  for (const other of others) {
    const theirs = await vaultOf(other);
    await theirs.clear('seen');
    if ((await theirs.count('waiting')) > 0) remaining.push(other);
    else await drop(other);
  }
  storage.set('vaults', [owner, ...remaining]);
  await vault.trim('seen', MOST, Date.now() - DAYS);
  setSink(({ address, text, at }) => {
    // A full disk keeps nothing more; what is on screen is not touched by it.
    vault.write('seen', address, text, at).catch(() => undefined);
  });
  return vault;
}

async function drop(owner: string): Promise<void> {
  const vault = vaults.get(owner);
  vaults.delete(owner);
  (await vault?.catch(() => null))?.close();
  await destroyVault(owner);
}

/** Forgets what a person may read here; what they have not sent stays. */
export async function forgetSeen(owner: string): Promise<void> {
  setSink(null);
  await (await vaultOf(owner)).clear('seen');
}

/** Forgets everything of a person on this device. */
export async function forgetAll(owner: string): Promise<void> {
  setSink(null);
  storage.set(
    'vaults',
    owners().filter((other) => other !== owner),
  );
  await drop(owner);
}

export interface Answer {
  text: string;
  at: number;
}

const ACTIVITY = /^\/records\/(task|call|meeting|visit|note)\/([^/?]+)$/;

/** A record as it stands inside another answer: a task of my day, a note in a timeline. */
function inside(value: unknown, id: string): RecordData | null {
  if (typeof value !== 'object' || value === null) return null;
  const record = value as Partial<RecordData>;
  if (record.id === id && typeof record.fields === 'object' && typeof record.version === 'number')
    return record as RecordData;
  for (const part of Object.values(value)) {
    const found = inside(part, id);
    if (found !== null) return found;
  }
  return null;
}

/** What was answered to this address when it was last asked with a connection. */
export async function answerOf(owner: string, address: string): Promise<Answer | null> {
  const vault = await vaultOf(owner);
  const exact = await vault.read<string>('seen', address);
  const [, , id] = ACTIVITY.exec(address) ?? [];
  if (id === undefined) return exact && { text: exact.value, at: exact.at };
  // What was changed meanwhile and waits stands in the activity itself.
  const waiting = (await vault.all<Waiting>('waiting')).map((row) => row.value);
  const told = (record: RecordData, at: number): Answer => ({ text: JSON.stringify(withWaiting(record, waiting)), at });
  if (exact !== null) return told(JSON.parse(exact.value) as RecordData, exact.at);
  const all = (await vault.all<string>('seen')).sort((left, right) => right.at - left.at);
  for (const { value, at } of all) {
    if (!value.includes(id)) continue;
    const record = inside(JSON.parse(value), id);
    if (record !== null) return told(record, at);
  }
  return null;
}

export interface Readable {
  object: string;
  id: string;
  title: string;
  at: number;
}

/** Records whose page can be read without a connection, those seen last first. */
export async function readableRecords(owner: string): Promise<Readable[]> {
  const vault = await vaultOf(owner);
  const found: Readable[] = [];
  for (const { id: address, value, at } of await vault.all<string>('seen')) {
    if (!/^\/(customers\/[^/]+\/profile|records\/[^/]+\/[^/?]+)$/.test(address)) continue;
    const body = JSON.parse(value) as RecordData & { record?: RecordData };
    const record = body.record ?? body;
    if (typeof record.id !== 'string' || record.deleted_at) continue;
    // A customer's page is made of the profile; the bare record alone does not show it.
    if (record.object === 'customer' && body.record === undefined) continue;
    found.push({ object: record.object, id: record.id, title: record.title || record.id, at });
  }
  return found.sort((left, right) => right.at - left.at);
}
