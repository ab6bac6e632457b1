import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { isApiError } from './errors';
import type { RecordStages, StageProcess } from './stages';
import type { FieldValues, Items, RecordData } from './types';

export const stagesQuery = () =>
  queryOptions({
    queryKey: ['stages', 'list'],
    queryFn: ({ signal }) => api.get<Items<StageProcess>>('/stages', { signal }),
    staleTime: 10 * 60_000,
  });
export const recordStagesQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['records', object, 'one', id, 'stages'],
    queryFn: ({ signal }) => api.get<RecordStages>(`/records/${object}/${id}/stages`, { signal }),
  });

/** A move that a gate refused, with what it misses. */
export interface ClosedGate {
  record: RecordData;
  values: FieldValues;
  missing: string[];
  reasons: string[];
}

/** What the gate of a stage asks for before a write, null for a write that was refused for another reason. */
export function gateIn(error: unknown, record: RecordData, values: FieldValues): ClosedGate | null {
  if (!isApiError(error, 422)) return null;
  const told = error.fields.filter((one) => one.code.startsWith('stage.'));
  if (told.length === 0) return null;
  const missing = told.filter((one) => one.code === 'stage.field_needed');
  return {
    record,
    values,
    missing: missing.map((one) => one.location.replace(/^fields\./, '')),
    reasons: error.fields.filter((one) => one.code !== 'stage.field_needed').map((one) => one.message),
  };
}
