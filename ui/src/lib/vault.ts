/**
 * A small store in the browser for one person: values lie in IndexedDB, each sealed with AES-GCM under a key that belongs
 * to this store alone and that no script can read out. Destroying the store destroys the key, and with it what was sealed.
 *
 * It needs a secure context (https, or this machine itself); `vaultPossible` in ./secure tells.
 */
export type Place = 'seen' | 'waiting' | 'files';
const PLACES: readonly Place[] = ['seen', 'waiting', 'files'];

export interface Kept<T> {
  id: string;
  /** Milliseconds. */
  at: number;
  value: T;
}
interface Row {
  id: string;
  at: number;
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

export interface Vault {
  read<T>(place: Place, id: string): Promise<Kept<T> | null>;
  /** Bytes are kept as they are; everything else as JSON. */
  write(place: Place, id: string, value: unknown, at?: number): Promise<void>;
  remove(place: Place, id: string): Promise<void>;
  /** By id, ascending. Values that cannot be opened are left out. */
  all<T>(place: Place): Promise<Kept<T>[]>;
  /** Removes what is older, and the oldest beyond `most`. */
  trim(place: Place, most: number, before: number): Promise<void>;
  clear(place: Place): Promise<void>;
  count(place: Place): Promise<number>;
  close(): void;
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const nameOf = (owner: string): string => `guanxi.${owner}`;

function open(owner: string): Promise<IDBDatabase> {
  const request = indexedDB.open(nameOf(owner), 1);
  request.onupgradeneeded = () => {
    for (const place of PLACES) request.result.createObjectStore(place, { keyPath: 'id' });
    request.result.createObjectStore('key');
  };
  return done(request);
}

/** The key of the store, made with it. Two tabs that make one at once agree on the one that was written first. */
async function keyOf(database: IDBDatabase): Promise<CryptoKey> {
  const read = () => done<CryptoKey | undefined>(database.transaction('key').objectStore('key').get('key'));
  const known = await read();
  if (known !== undefined) return known;
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  try {
    await done(database.transaction('key', 'readwrite').objectStore('key').add(made, 'key'));
    return made;
  } catch {
    const other = await read();
    if (other === undefined) throw new Error('no key');
    return other;
  }
}

const isBytes = (value: unknown): value is ArrayBuffer => value instanceof ArrayBuffer;

export async function openVault(owner: string): Promise<Vault> {
  const database = await open(owner);
  const key = await keyOf(database);
  // Another tab that signs out may delete the store.
  database.onversionchange = () => database.close();
  const at = (place: Place, mode: IDBTransactionMode) => database.transaction(place, mode).objectStore(place);
  const seal = async (id: string, value: unknown): Promise<Pick<Row, 'iv' | 'data'>> => {
    const plain = isBytes(value) ? value : new TextEncoder().encode(JSON.stringify(value));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const bound = new TextEncoder().encode(id);
    return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bound }, key, plain) };
  };
  const unseal = async <T>(place: Place, row: Row): Promise<Kept<T> | null> => {
    try {
      const bound = new TextEncoder().encode(row.id);
      const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: row.iv, additionalData: bound }, key, row.data);
      const value = place === 'files' ? plain : JSON.parse(new TextDecoder().decode(plain));
      return { id: row.id, at: row.at, value: value as T };
    } catch {
      return null;
    }
  };
  return {
    async read<T>(place: Place, id: string) {
      const row = await done<Row | undefined>(at(place, 'readonly').get(id));
      return row === undefined ? null : await unseal<T>(place, row);
    },
    async write(place, id, value, when = Date.now()) {
      const row: Row = { id, at: when, ...(await seal(id, value)) };
      await done(at(place, 'readwrite').put(row));
    },
    async remove(place, id) {
      await done(at(place, 'readwrite').delete(id));
    },
    async all<T>(place: Place) {
      const rows = await done<Row[]>(at(place, 'readonly').getAll());
      const opened = await Promise.all(rows.map((row) => unseal<T>(place, row)));
      return opened.filter((each) => each !== null);
    },
    async trim(place, most, before) {
      const rows = await done<Row[]>(at(place, 'readonly').getAll());
      const newest = rows.sort((left, right) => right.at - left.at);
      for (const row of newest.filter((each, index) => index >= most || each.at < before))
        await done(at(place, 'readwrite').delete(row.id));
    },
    async clear(place) {
      await done(at(place, 'readwrite').clear());
    },
    count: (place) => done(at(place, 'readonly').count()),
    close: () => database.close(),
  };
}

/** Deletes everything of a person, the key included. */
export async function destroyVault(owner: string): Promise<void> {
  const request = indexedDB.deleteDatabase(nameOf(owner));
  await new Promise<void>((resolve) => {
    request.onsuccess = () => resolve();
    request.onerror = () => resolve();
    request.onblocked = () => resolve();
  });
}
