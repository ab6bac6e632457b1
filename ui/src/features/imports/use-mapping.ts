import { useEffect, useReducer, useRef, useState } from 'react';
import {
  type FieldError,
  type ImportFormat,
  type ImportMapping,
  type ImportRun,
  isApiError,
  useMapImport,
} from '@/api';
import { useEvent } from '@/lib/hooks';
import { draftOf, guessByName, type MappingDraft, mappingOf, probeMapping, reduceMapping } from './mapping';

const SETTLE = 500;

export interface MappingEditor {
  draft: MappingDraft;
  assign: (column: string, from: string | null, to: string | null) => void;
  setOptions: (options: Partial<Record<keyof MappingDraft['options'], unknown>>) => void;
  setFormat: (format: ImportFormat) => void;
  /** What the server says about the mapping as it was last sent. */
  faults: readonly FieldError[];
  error: unknown;
  saving: boolean;
  /** Sends what is not sent yet; true when the server took it. */
  flush: () => Promise<boolean>;
}

const signature = (run: ImportRun): string => run.columns.map((column) => column.name).join('\u0000');

const bare = (location: string): string => location.replace(/^(mapping\.)+/, '');

/** The mapping of one import: edited here, sent half a second after the last change, judged by the server. */
export function useMapping(run: ImportRun): MappingEditor {
  const [draft, dispatch] = useReducer(reduceMapping, run, draftOf);
  const [faults, setFaults] = useState<readonly FieldError[]>([]);
  const [error, setError] = useState<unknown>(null);
  const save = useMapImport();
  const sent = useRef(JSON.stringify(mappingOf(draft)));
  const readings = useRef(new Map<string, MappingDraft['columns']>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const text = JSON.stringify(mappingOf(draft));

  const send = useEvent(async (mapping: ImportMapping = mappingOf(draft)): Promise<ImportRun | null> => {
    clearTimeout(timer.current);
    try {
      const next = await save.mutateAsync({ id: run.id, mapping });
      sent.current = JSON.stringify(mapping);
      setFaults([]);
      setError(null);
      return next;
    } catch (problem) {
      const fields = isApiError(problem, 422) ? problem.fields : [];
      setFaults(fields.map((field) => ({ ...field, location: bare(field.location) })));
      setError(fields.length > 0 ? null : problem);
      return null;
    }
  });

  useEffect(() => {
    if (text === sent.current) return;
    timer.current = setTimeout(() => send(), SETTLE);
    return () => clearTimeout(timer.current);
  }, [text, send]);

  // The server judges names by the new reading; what was mapped under a reading comes back with it.
  const setFormat = async (format: ImportFormat) => {
    readings.current.set(signature(run), draft.columns);
    const next = await send(probeMapping(draft, run, format));
    if (next === null) return;
    const known = readings.current.get(signature(next));
    const names = new Set(next.columns.map((column) => column.name));
    const kept = Object.entries(draft.columns).filter(([, columns]) => columns.every((name) => names.has(name)));
    const columns = known ?? { ...guessByName(next.columns, next.targets), ...Object.fromEntries(kept) };
    const mapping = mappingOf({ ...draft, format: next.format, columns });
    dispatch({ type: 'load', run: { ...next, mapping } });
  };

  return {
    draft,
    assign: (column, from, to) => dispatch({ type: 'assign', column, from, to }),
    setOptions: (options) => dispatch({ type: 'option', options }),
    setFormat,
    faults,
    error,
    saving: save.isPending,
    flush: async () => text === sent.current || (await send()) !== null,
  };
}
