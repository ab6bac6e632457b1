import { vaultPossible } from '@/lib/secure';
import { connectionStore } from './connection';
import { isApiError } from './errors';
import { keptOwner } from './keep';
import type { NewWriting } from './offline/outbox';
import type { FieldValues, RecordData } from './types';
import { isActivity } from './work';

const possible = (): boolean => vaultPossible() && keptOwner() !== '';

/**
 * Writing that does not need a connection: tasks, calls, meetings, visits and notes. Where this browser cannot keep
 * anything (no https), everything fails as it did, with the words for a lost connection.
 */
export const workLater = {
  /** Whether to keep at once, without trying. */
  offline: (object: string): boolean => isActivity(object) && possible() && !connectionStore.get().online,
  /** Whether this failure is one after which writing is kept. */
  afterwards: (object: string, error: unknown): boolean => isActivity(object) && possible() && isApiError(error, 0),
  create: async (input: NewWriting): Promise<string> => (await (await import('./offline')).keepNew(input)).id,
  change: async (record: RecordData, fields: FieldValues, write: FieldValues): Promise<void> =>
    (await import('./offline')).keepChange(record, fields, write),
  file: async (target: { object: string; record: string; needs: string }, file: File): Promise<void> =>
    (await import('./offline')).keepFile(target, file),
};
