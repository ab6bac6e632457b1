import { queryOptions } from '@tanstack/react-query';
import { api, apiUrl } from './client';
import type { Actor, Field } from './types';
import { type UploadProgress, upload } from './upload';

/** A file on a record. */
export interface RecordFile {
  id: string;
  name: string;
  /** Found by content. */
  media: string;
  size: number;
  /** A picture that can be shown in a page. */
  preview: boolean;
  added_by: Actor;
  at: string;
  deleted_at: string | null;
  deleted_by: Actor | null;
  can_change: boolean;
}

export interface FileList {
  items: RecordFile[];
  max_bytes: number;
  can_add: boolean;
}

export const filesQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['work', 'files', object, id],
    queryFn: ({ signal }) => api.get<FileList>(`/records/${object}/${id}/files`, { signal }),
  });
export function addFile(
  object: string,
  id: string,
  file: File,
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<RecordFile> {
  const form = new FormData();
  form.append('file', file, file.name);
  return upload<RecordFile>(`/records/${object}/${id}/files`, form, { onProgress, signal });
}
export const fileUrl = (id: string, inline = false): string =>
  apiUrl(`/files/${id}/content`, inline ? { inline: true } : {});
/** A file in a field. Of one that is gone only the id is known. */
export interface FileValue {
  id: string;
  name?: string;
  /** Found by content. */
  type?: string;
  size?: number;
  url?: string;
  thumbnail?: string;
  width?: number;
  height?: number;
}

export const thumbnailUrl = (id: string): string => apiUrl(`/files/${id}/thumbnail`);
/** Sends a file for a field; it is kept when a record is saved with its id. */
export function uploadFieldFile(
  field: Field,
  file: File,
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<FileValue> {
  const form = new FormData();
  form.append('file', file, file.name);
  return upload<FileValue>(field.upload ?? '', form, { onProgress, signal });
}
export const renameFile = (id: string, name: string) => api.patch<RecordFile>(`/files/${id}`, { name });
export const deleteFile = (id: string) => api.delete(`/files/${id}`);
export const restoreFile = (id: string) => api.post<RecordFile>(`/files/${id}/restore`);
