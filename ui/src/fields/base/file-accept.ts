import type { Field } from '@/api';

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
