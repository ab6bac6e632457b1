import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { type Field, type ObjectType, type RecordData, recordKeys } from '@/api';
import { labelText, useLanguage } from '@/i18n';
import { useEvent } from '@/lib/hooks';
import { useSaveFields } from '../edit/use-save-fields';

/** A card on its way: where it is shown until the server's answer is on screen. */
export interface Move {
  record: RecordData;
  from: string;
  to: string;
}

export interface Moves {
  moves: ReadonlyMap<string, Move>;
  /** Shows the record in its new place at once, saves it, and puts it back when the server refuses. */
  move: (record: RecordData, field: Field, value: unknown, from: string, to: string) => Promise<void>;
  dialog: ReactNode;
}

export function useMoves(object: ObjectType): Moves {
  const client = useQueryClient();
  const language = useLanguage();
  const [moves, setMoves] = useState<ReadonlyMap<string, Move>>(new Map());
  const turns = useRef(0);
  const latest = useRef(new Map<string, number>());
  const refresh = () => client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
  const { save, dialog } = useSaveFields(
    object,
    (field) => labelText(field.label, language, field.key),
    // Also when a change is taken back.
    () => void refresh(),
  );
  const move = useEvent(async (record: RecordData, field: Field, value: unknown, from: string, to: string) => {
    const turn = ++turns.current;
    latest.current.set(record.id, turn);
    const shown = { ...record, fields: { ...record.fields, [field.key]: value } };
    setMoves((old) => new Map(old).set(record.id, { record: shown, from: old.get(record.id)?.from ?? from, to }));
    await save(record, { [field.key]: value });
    await refresh();
    if (latest.current.get(record.id) !== turn) return;
    latest.current.delete(record.id);
    setMoves((old) => {
      const next = new Map(old);
      next.delete(record.id);
      return next;
    });
  });
  return { moves, move, dialog };
}
