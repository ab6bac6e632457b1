import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { ShapeWork } from './layouts';
import type { Field, FieldType, Option, Ref } from './types';

export interface ConversionInput {
  type: FieldType;
  options?: Option[];
  scale?: number;
  max?: number;
}
export interface FieldUse {
  kind: string;
  name: Label;
  object?: string;
  key?: string;
}
export interface ConversionSample {
  record: Ref | null;
  before: string;
  after?: string;
  reason?: string;
}
/** A work with what can be said of a conversion. */
export interface WorkDetail extends ShapeWork {
  phase?: 'reading' | 'trying' | 'filling';
  from?: FieldType;
  to?: Field;
  /** Records with a value. */
  given: number;
  good: ConversionSample[];
  bad: ConversionSample[];
  uses: FieldUse[];
  /** What could not be asked any more: while there is any, the conversion is refused. */
  breaks: FieldUse[];
  /** The archived field that keeps the values of before. */
  archive?: string;
}

const isOpen = (work: ShapeWork | undefined): boolean => work?.state === 'queued' || work?.state === 'running';

export const workQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['objects', object, 'works', id],
    queryFn: ({ signal }) => api.get<WorkDetail>(`/objects/${object}/works/${id}`, { signal }),
    enabled: id !== '',
    refetchInterval: (query) => (isOpen(query.state.data) ? 700 : false),
  });

export const usesQuery = (object: string, field: string) =>
  queryOptions({
    queryKey: ['objects', object, 'uses', field],
    queryFn: ({ signal }) => api.get<{ items: FieldUse[] }>(`/objects/${object}/fields/${field}/uses`, { signal }),
    enabled: field !== '',
    staleTime: 0,
  });

function useWorking<I>(object: string, run: (input: I) => Promise<ShapeWork>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['objects', object, 'works'] });
      await client.invalidateQueries({ queryKey: ['objects'], exact: true });
    },
  });
}
export const useTryConversion = (object: string, field: string) =>
  useWorking(object, (input: ConversionInput) =>
    api.post<ShapeWork>(`/objects/${object}/fields/${field}/convert`, input),
  );
export const useWorkStep = (object: string) =>
  useWorking(object, ({ id, step }: { id: string; step: 'start' | 'cancel' | 'undo' }) =>
    api.post<ShapeWork>(`/objects/${object}/works/${id}/${step}`),
  );
export const leftFile = (object: string, id: string): string => `/api/v1/objects/${object}/works/${id}/left`;
