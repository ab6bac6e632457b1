import { queryOptions } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { FieldType, FieldValues, Option } from './types';

export interface FormulaFunction {
  name: string;
  group: 'logic' | 'text' | 'date' | 'number';
  /** Names of the arguments, "…" for more of the same. */
  args: string;
}
export interface FormulaProblem {
  code: string;
  message: string;
  /** In characters, from 0; `to` is the one after. */
  from: number;
  to: number;
}
export interface FormulaResult {
  ok: boolean;
  problems: FormulaProblem[];
  formula?: string;
  type?: FieldType;
  scale: number;
  options?: Option[];
  volatile: boolean;
  uses: { object: string; field: string; label: Label }[];
  preview: { id: string; title: string; value: unknown }[];
}
export interface FormulaDraft {
  formula: string;
  key?: string;
  type?: FieldType;
  scale?: number;
  record?: string;
}

export const functionsQuery = () =>
  queryOptions({
    queryKey: ['formulas', 'functions'],
    queryFn: ({ signal }) => api.get<{ items: FormulaFunction[] }>('/formulas/functions', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What the server says of a formula that is being written, tried on real records. */
export const formulaQuery = (object: string, draft: FormulaDraft) =>
  queryOptions({
    queryKey: ['objects', object, 'formula', draft],
    queryFn: ({ signal }) => api.post<FormulaResult>(`/objects/${object}/formula`, draft, { signal }),
    enabled: draft.formula.trim() !== '',
    placeholderData: (old) => old,
    retry: false,
  });

export interface Trial {
  problems: { location: string; message: string }[];
  /** Fields that are not shown with these values. */
  hidden: string[];
  /** Fields that need a value with these, besides those that always do. */
  required: string[];
}

/** What rules and conditions say of values: of a new record, or of one with the changes that are tried. */
export const trialQuery = (
  object: string,
  fields: FieldValues,
  enabled: boolean,
  record?: { id: string; version: number },
) =>
  queryOptions({
    queryKey: ['records', object, 'check', record?.id, record?.version, fields],
    queryFn: ({ signal }) =>
      api.post<Trial>(`/records/${object}/check`, { fields, ...(record && { id: record.id }) }, { signal }),
    enabled,
    placeholderData: (old) => old,
    retry: false,
    gcTime: 0,
  });
