import type { FileValue } from '@/api';
import { asList, isObject } from './value-text';

/** The files of a value; what is no file is left out. */
export const asFiles = (value: unknown): FileValue[] =>
  asList(value).filter((item): item is FileValue => isObject(item) && typeof item.id === 'string');

/** The ending of a name in capitals, as a sign of what a file is. */
export function endingOf(file: FileValue): string {
  const at = (file.name ?? '').lastIndexOf('.');
  return at < 0 ? '' : (file.name ?? '').slice(at + 1, at + 5).toUpperCase();
}
