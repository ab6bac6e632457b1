import type { Field, FileValue } from '@/api';
import { asList, isObject } from './value-text';

/** The files of a value; what is no file is left out. */
export const asFiles = (value: unknown): FileValue[] =>
  asList(value).filter((item): item is FileValue => isObject(item) && typeof item.id === 'string');

/** The ending of a name in capitals, as a sign of what a file is. */
export function endingOf(file: FileValue): string {
  const at = (file.name ?? '').lastIndexOf('.');
  return at < 0 ? '' : (file.name ?? '').slice(at + 1, at + 5).toUpperCase();
}

const ENDINGS: Record<string, string> = {
  image: 'image/*',
  pdf: '.pdf',
  document: '.doc,.docx,.wps',
  spreadsheet: '.xls,.xlsx,.csv,.et',
  presentation: '.ppt,.pptx,.dps',
  text: '.txt,.md,.log,.json,.xml',
  audio: 'audio/*',
  video: 'video/*',
  archive: '.zip,.7z,.rar,.gz',
};

/** What a file input offers to choose. */
export const acceptOf = (field: Field): string => {
  if (field.type === 'image') return 'image/jpeg,image/png,image/webp,image/gif';
  return (field.kinds ?? []).map((kind) => ENDINGS[kind] ?? '').join(',');
};
