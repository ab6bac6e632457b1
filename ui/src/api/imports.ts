import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { API, api } from './client';
import type { ImportMapping, ImportRun, ImportStatus, Items } from './types';
import { type UploadProgress, upload } from './upload';

/** An uploaded file waits for the person, not for the server. */
const BUSY: ReadonlySet<ImportStatus> = new Set(['checking', 'running', 'undoing']);
export const isImportBusy = (run: ImportRun): boolean => BUSY.has(run.status);

export const importsQuery = () =>
  queryOptions({ queryKey: ['imports'], queryFn: ({ signal }) => api.get<Items<ImportRun>>('/imports', { signal }) });

/** Polls while the job runs; the stream of events refreshes it as well. */
export const importQuery = (id: string) =>
  queryOptions({
    queryKey: ['imports', id],
    queryFn: ({ signal }) => api.get<ImportRun>(`/imports/${id}`, { signal }),
    refetchInterval: (query) => (query.state.data !== undefined && isImportBusy(query.state.data) ? 1_000 : false),
  });

/** The address of the CSV of rows that were not imported: the faulty ones, or those that a rule left out. */
export const importErrorsUrl = (id: string, kind: 'errors' | 'skipped'): string =>
  `${API}/imports/${id}/errors?kind=${kind}`;

export interface UploadInput {
  object: string;
  file: File;
  onProgress?: (progress: UploadProgress) => void;
  signal?: AbortSignal;
}

export function useUploadImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ object, file, onProgress, signal }: UploadInput) => {
      const form = new FormData();
      form.set('object', object);
      form.set('file', file, file.name);
      return upload<ImportRun>('/imports', form, { ...(onProgress && { onProgress }), ...(signal && { signal }) });
    },
    onSuccess: (run) => {
      client.setQueryData(['imports', run.id], run);
      return client.invalidateQueries({ queryKey: ['imports'], exact: true });
    },
  });
}

function useImportAction<I extends { id: string }>(call: (input: I) => Promise<ImportRun>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSuccess: (run) => {
      client.setQueryData(['imports', run.id], run);
      return client.invalidateQueries({ queryKey: ['imports'], exact: true });
    },
  });
}

export const useMapImport = () =>
  useImportAction((input: { id: string; mapping: ImportMapping }) =>
    api.patch<ImportRun>(`/imports/${input.id}`, { mapping: input.mapping }),
  );
export const useStartImport = () =>
  useImportAction((input: { id: string; dryRun: boolean }) =>
    api.post<ImportRun>(`/imports/${input.id}/start`, { dry_run: input.dryRun }),
  );
export const useCancelImport = () =>
  useImportAction((input: { id: string }) => api.post<ImportRun>(`/imports/${input.id}/cancel`));
export const useUndoImport = () =>
  useImportAction((input: { id: string }) => api.post<ImportRun>(`/imports/${input.id}/undo`));
