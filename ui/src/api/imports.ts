import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { API, api } from './client';
import type {
  ImportChoice,
  ImportLines,
  ImportMapping,
  ImportRun,
  ImportStatus,
  Items,
  RejectedRows,
  SavedMapping,
} from './types';
import { type UploadProgress, upload } from './upload';

/** An uploaded file waits for the person, not for the server. */
const BUSY: ReadonlySet<ImportStatus> = new Set(['checking', 'running', 'undoing']);
export const isImportBusy = (run: ImportRun): boolean => BUSY.has(run.status);

export interface ImportsFilter {
  object?: string;
  status?: string;
  by?: string;
  q?: string;
}
interface ImportsPage extends Items<ImportRun> {
  next_cursor: string | null;
}

/** The history, newest first, a page at a time. */
export const importsQuery = (filter: ImportsFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ['imports', 'list', filter],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) => {
      const search = new URLSearchParams({ limit: '50' });
      for (const [key, value] of Object.entries({ ...filter, cursor: pageParam })) if (value) search.set(key, value);
      return api.get<ImportsPage>(`/imports?${search}`, { signal });
    },
    getNextPageParam: (page) => page.next_cursor,
  });

/** Polls while the job runs; the stream of events refreshes it as well. */
export const importQuery = (id: string) =>
  queryOptions({
    queryKey: ['imports', id],
    queryFn: ({ signal }) => api.get<ImportRun>(`/imports/${id}`, { signal }),
    refetchInterval: (query) => (query.state.data !== undefined && isImportBusy(query.state.data) ? 1_000 : false),
  });

/** The address of the CSV of rows that were not imported: the faulty ones, or those that a rule left out. */
export const importErrorsUrl = (id: string, kind: ImportLines): string => `${API}/imports/${id}/errors?kind=${kind}`;

/** A workbook to be filled in and imported. */
export const importTemplateUrl = (object: string): string => `${API}/import-templates/${object}`;

export const importChoicesQuery = (id: string, mapping: ImportMapping) =>
  queryOptions({
    queryKey: ['imports', id, 'choices', mapping],
    queryFn: ({ signal }) => api.get<Items<ImportChoice> & { partial: boolean }>(`/imports/${id}/choices`, { signal }),
  });

export const rejectedQuery = (id: string) =>
  queryOptions({
    queryKey: ['imports', id, 'rejected'],
    queryFn: ({ signal }) => api.get<RejectedRows>(`/imports/${id}/rejected?limit=100`, { signal }),
  });

export const savedMappingsQuery = (object: string) =>
  queryOptions({
    queryKey: ['import-mappings', object],
    queryFn: ({ signal }) => api.get<Items<SavedMapping>>(`/import-mappings?object=${object}`, { signal }),
  });

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
      return client.invalidateQueries({ queryKey: ['imports', 'list'] });
    },
  });
}

function useImportAction<I extends { id: string }>(call: (input: I) => Promise<ImportRun>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSuccess: (run) => {
      client.setQueryData(['imports', run.id], run);
      return client.invalidateQueries({ queryKey: ['imports', 'list'] });
    },
  });
}

export const useMapImport = () =>
  useImportAction((input: { id: string; mapping: ImportMapping }) =>
    api.patch<ImportRun>(`/imports/${input.id}`, { mapping: input.mapping }),
  );
/** Gives an import a saved mapping, as far as its file has the columns. */
export const useSavedMapping = () =>
  useImportAction((input: { id: string; saved: string }) =>
    api.patch<ImportRun>(`/imports/${input.id}`, { saved: input.saved }),
  );

/** Corrected rows of an import become one of their own, with the same mapping. */
export function useRetryImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, file, start }: { id: string; file: File; start: boolean }) => {
      const form = new FormData();
      form.set('file', file, file.name);
      const run = await upload<ImportRun>(`/imports/${id}/retry`, form, {});
      return start ? api.post<ImportRun>(`/imports/${run.id}/start`, { dry_run: false }) : run;
    },
    onSuccess: (run) => {
      client.setQueryData(['imports', run.id], run);
      return client.invalidateQueries({ queryKey: ['imports', 'list'] });
    },
  });
}

function useSavedAction<I, O>(call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSuccess: () => client.invalidateQueries({ queryKey: ['import-mappings'] }),
  });
}

export const useSaveMapping = () =>
  useSavedAction((input: { id: string; name: string; replace: boolean }) =>
    api.post<SavedMapping>(`/imports/${input.id}/saved`, { name: input.name, replace: input.replace }),
  );
export const useDeleteMapping = () =>
  useSavedAction((input: { id: string }) => api.delete(`/import-mappings/${input.id}`));

export const useStartImport = () =>
  useImportAction((input: { id: string; dryRun: boolean }) =>
    api.post<ImportRun>(`/imports/${input.id}/start`, { dry_run: input.dryRun }),
  );
export const useCancelImport = () =>
  useImportAction((input: { id: string }) => api.post<ImportRun>(`/imports/${input.id}/cancel`));
export const useUndoImport = () =>
  useImportAction((input: { id: string }) => api.post<ImportRun>(`/imports/${input.id}/undo`));
