import { queryOptions } from '@tanstack/react-query';
import { api, apiUrl, problemOf, requestHeaders } from './client';
import { ApiError } from './errors';
import type { Items, Ref } from './types';

export interface EventImport {
  id: string;
  source: string;
  source_name: string;
  file_name: string;
  state: 'open' | 'done' | 'undoing' | 'undone';
  accepted: number;
  duplicate: number;
  rejected: number;
  created_at: string;
  created_by: Ref | null;
  undone_at: string | null;
  undone_by: Ref | null;
}

export const eventImportsQuery = () =>
  queryOptions({
    queryKey: ['event-imports'],
    queryFn: ({ signal }) => api.get<Items<EventImport>>('/event-imports', { signal }),
    refetchInterval: (query) => (query.state.data?.items.some((one) => one.state === 'undoing') ? 1500 : false),
  });

export const beginEventImport = (source: string, file_name: string) =>
  api.post<EventImport>('/event-imports', { source, file_name });
export const finishEventImport = (id: string) => api.post<EventImport>(`/event-imports/${id}/finish`, {});
export const undoEventImport = (id: string) => api.post<EventImport>(`/event-imports/${id}/undo`, {});

/** The rows of a workbook or a Parquet file, which a browser cannot read: one JSON array a line, the head first. */
export async function readRows(file: File): Promise<Blob> {
  const form = new FormData();
  form.append('file', file);
  const answer = await fetch(apiUrl('/event-imports/rows'), {
    method: 'POST',
    body: form,
    headers: requestHeaders('POST'),
    credentials: 'same-origin',
  });
  if (!answer.ok) throw new ApiError(problemOf(answer.status, await answer.text(), answer.statusText));
  return answer.blob();
}
