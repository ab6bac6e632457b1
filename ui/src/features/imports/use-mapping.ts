import { useEffect, useReducer, useRef, useState } from 'react';
import {
  type FieldError,
  type ImportFormat,
  type ImportMapping,
  type ImportRule,
  type ImportRun,
  isApiError,
  useMapImport,
} from '@/api';
import { useEvent } from '@/lib/hooks';
import { draftOf, type MappingDraft, mappingOf, reduceMapping, rereadOf } from './mapping';

const SETTLE = 500;

export interface MappingEditor {
  draft: MappingDraft;
  assign: (column: string, from: string | null, to: string | null) => void;
  setOptions: (options: Partial<Record<keyof MappingDraft['options'], unknown>>) => void;
  setRule: (target: string, rule: Partial<ImportRule>) => void;
  /** Takes over a run that another way than editing has changed: a saved mapping. */
  load: (run: ImportRun) => void;
  /** Reads the file anew under one changed part of its format. */
  setFormat: (change: Partial<ImportFormat>) => void;
  /** What the server suggested for each column of this reading. */
  suggested: ReadonlyMap<string, string | null>;
  rereading: boolean;
  /** What the server says about the mapping as it was last sent. */
  faults: readonly FieldError[];
  error: unknown;
  saving: boolean;
  /** Sends what is not sent yet; true when the server took it. */
  flush: () => Promise<boolean>;
}

const signature = (run: ImportRun): string => run.columns.map((column) => column.name).join('\u0000');
const suggestionsOf = (run: ImportRun) => new Map(run.columns.map((column) => [column.name, column.suggested]));

const bare = (location: string): string => location.replace(/^(mapping\.)+/, '');

/** The mapping of one import: edited here, sent half a second after the last change, judged by the server. */
export function useMapping(run: ImportRun): MappingEditor {
  const [draft, dispatch] = useReducer(reduceMapping, run, draftOf);
  const [faults, setFaults] = useState<readonly FieldError[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [suggested, setSuggested] = useState(() => suggestionsOf(run));
  const [rereading, setRereading] = useState(false);
  const chosen = useRef(new Set<string>());
  const save = useMapImport();
  // A suggestion is judged as well: what it lacks stands at its place before anybody presses a button.
  const sent = useRef(run.status === 'uploaded' ? '' : JSON.stringify(mappingOf(draft)));
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

  // Going back to an earlier reading brings back what was mapped under it.
  const setFormat = async (change: Partial<ImportFormat>) => {
    readings.current.set(signature(run), draft.columns);
    setRereading(true);
    const next = await send(rereadOf(draft, change, chosen.current));
    setRereading(false);
    if (next === null) return;
    const known = readings.current.get(signature(next));
    sent.current = '';
    setSuggested(suggestionsOf(next));
    dispatch({ type: 'load', run: next, ...(known !== undefined && { columns: known }) });
  };

  return {
    draft,
    assign: (column, from, to) => dispatch({ type: 'assign', column, from, to }),
    setOptions: (options) => {
      for (const key of Object.keys(options)) chosen.current.add(key);
      dispatch({ type: 'option', options });
    },
    setRule: (target, rule) => dispatch({ type: 'rule', target, rule }),
    load: (next) => {
      sent.current = JSON.stringify(mappingOf(draftOf(next)));
      setSuggested(suggestionsOf(next));
      setFaults([]);
      setError(null);
      dispatch({ type: 'load', run: next });
    },
    setFormat,
    suggested,
    rereading,
    faults,
    error,
    saving: save.isPending,
    flush: async () => text === sent.current || (await send()) !== null,
  };
}
