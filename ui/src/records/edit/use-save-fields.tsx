import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import {
  type ApiError,
  type ClosedGate,
  type DuplicateMatches,
  duplicatesIn,
  errorText,
  type Field,
  type FieldValues,
  figuresKey,
  gateIn,
  isApiError,
  isApprovalNeeded,
  type ObjectType,
  patchRecordCache,
  type RecordData,
  recordKeys,
  updateRecord,
  workLater,
} from '@/api';
import { kindOf } from '@/fields';
import { loadWords, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { toast } from '@/ui';
import { rememberStep } from './steps';

const DuplicateDialog = lazy(() =>
  import('../duplicates/duplicate-dialog').then((module) => ({ default: module.DuplicateDialog })),
);
const NeedsDialog = lazy(() =>
  Promise.all([import('./needs-dialog'), loadWords('layout')]).then(([module]) => ({ default: module.NeedsDialog })),
);
const GateDialog = lazy(async () => {
  const [module] = await Promise.all([import('../stage/gate-dialog'), loadWords('stages')]);
  return { default: module.GateDialog };
});
const ConflictDialog = lazy(() => import('./conflict-dialog').then((module) => ({ default: module.ConflictDialog })));

interface Conflict {
  theirs: RecordData;
  mine: FieldValues;
}

/** Fields that a change asks for besides. */
interface Needs {
  fields: Field[];
  messages: Record<string, string>;
  record: RecordData;
  mine: FieldValues;
}

interface Doubt {
  found: DuplicateMatches;
  record: RecordData;
  mine: FieldValues;
}

export interface SaveFields {
  /** Shows the values at once, sends them, and takes them back when the server refuses. Resolves to whether it took. */
  save: (record: RecordData, values: FieldValues) => Promise<boolean>;
  /** Must be rendered: the question that a newer version on the server asks. */
  dialog: ReactNode;
}

const toWrite = (object: ObjectType, values: FieldValues): FieldValues =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      const field = findField(object, key);
      return [key, field === undefined ? value : kindOf(field.type).toWrite(value)];
    }),
  );

const withValues = (record: RecordData, object: ObjectType, values: FieldValues): RecordData => {
  const title = values[object.title_field];
  return {
    ...record,
    ...(typeof title === 'string' && { title }),
    fields: { ...record.fields, ...values },
  };
};

/** The first refused field in words: "手机：不是有效的号码". */
function refusal(error: ApiError, fields: readonly Field[], name: (field: Field) => string): string {
  for (const field of fields) {
    const message = error.at(field.key);
    if (message !== undefined) return `${name(field)}: ${message}`;
  }
  return errorText(error);
}

/** The other fields that a refused change needs filled in; null when that is not all that stands against it. */
function asked(error: unknown, object: ObjectType, sent: readonly string[]): Pick<Needs, 'fields' | 'messages'> | null {
  if (!isApiError(error) || error.fields.length === 0) return null;
  const messages: Record<string, string> = {};
  const fields = error.fields.flatMap((each) => {
    const key = each.location.replace(/^fields\./, '');
    const field = findField(object, key);
    if (each.code !== 'record.required_when' || field?.access !== 'write' || sent.includes(key)) return [];
    messages[key] = each.message;
    return [field];
  });
  return fields.length === error.fields.length ? { fields, messages } : null;
}

/** Saves fields of a record from wherever it is shown: optimistic, with undo, and never over somebody else's change. */
export function useSaveFields(
  object: ObjectType,
  nameOf: (field: Field) => string,
  onSaved?: (record: RecordData) => void,
): SaveFields {
  const { t } = useTranslation(['records', 'common']);
  const client = useQueryClient();
  const navigate = useNavigate();
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [doubt, setDoubt] = useState<Doubt | null>(null);
  const [needs, setNeeds] = useState<Needs | null>(null);
  const [gate, setGate] = useState<ClosedGate | null>(null);

  const send = async (
    record: RecordData,
    values: FieldValues,
    undoing: boolean,
    anyway = undoing,
  ): Promise<boolean> => {
    const keys = Object.keys(values);
    const before = Object.fromEntries(keys.map((key) => [key, record.fields[key] ?? null]));
    // Masked values are not known here, so they cannot be put back.
    const undoable = !undoing && !keys.some((key) => record.masked?.includes(key));
    await client.cancelQueries({ queryKey: recordKeys.one(object.key, record.id), exact: true });
    patchRecordCache(client, withValues(record, object, values));
    const later = async (): Promise<boolean> => {
      await workLater.change(record, values, toWrite(object, values));
      onSaved?.(withValues(record, object, values));
      toast.info(t('records:edit.kept'));
      return true;
    };
    try {
      if (workLater.offline(object.key)) return await later();
      const saved = await updateRecord(object.key, record.id, toWrite(object, values), record.version, anyway);
      patchRecordCache(client, saved);
      client.invalidateQueries({ queryKey: figuresKey(object.key) });
      onSaved?.(saved);
      const takeBack = undoable ? rememberStep(object.key, () => void send(saved, before, true)) : null;
      toast.ok(
        undoing ? t('records:edit.undone') : t('common:saved'),
        takeBack === null ? {} : { action: { label: t('common:undo'), run: takeBack } },
      );
      return true;
    } catch (error) {
      if (workLater.afterwards(object.key, error)) return await later();
      patchRecordCache(client, record);
      if (isApiError(error, 412) && error.current !== null) {
        const theirs = error.current as RecordData;
        patchRecordCache(client, theirs);
        setConflict({ theirs, mine: values });
        return false;
      }
      if (isApprovalNeeded(error)) return false; // the shell asks whether to send it for approval
      const closed = gateIn(error, record, values);
      if (closed !== null) {
        setGate(closed);
        return false;
      }
      const found = duplicatesIn(error);
      if (found !== null) {
        setDoubt({ found, record, mine: values });
        return false;
      }
      const more = asked(error, object, keys);
      if (more !== null && !undoing) {
        setNeeds({ ...more, record, mine: values });
        return false;
      }
      const fields = keys.map((key) => findField(object, key)).filter((field) => field !== undefined);
      const detail = isApiError(error) ? refusal(error, fields, nameOf) : errorText(error);
      const other = isApiError(error) ? error.fields.find((each) => each.record !== undefined)?.record : undefined;
      const open = () => navigate({ to: '/o/$object/$id', params: { object: object.key, id: other ?? '' } });
      toast.error(t('records:edit.reverted'), {
        detail,
        ...(other !== undefined && { action: { label: t('records:form.openOther'), run: () => void open() } }),
      });
      return false;
    }
  };

  const question = () => {
    if (needs !== null)
      return (
        <NeedsDialog
          fields={needs.fields}
          messages={needs.messages}
          onClose={() => setNeeds(null)}
          onSave={(values) => {
            setNeeds(null);
            void send(needs.record, { ...needs.mine, ...values }, false);
          }}
        />
      );
    if (gate !== null) return <GateDialog gate={gate} onClose={() => setGate(null)} />;
    if (doubt !== null)
      return (
        <DuplicateDialog
          object={object}
          found={doubt.found}
          anyway={t('records:edit.anyway')}
          onClose={() => setDoubt(null)}
          onAnyway={() => {
            setDoubt(null);
            void send(doubt.record, doubt.mine, false, true);
          }}
        />
      );
    if (conflict === null) return null;
    return (
      <ConflictDialog
        object={object}
        theirs={conflict.theirs}
        mine={conflict.mine}
        onKeepTheirs={() => setConflict(null)}
        onTakeMine={() => {
          setConflict(null);
          void send(conflict.theirs, conflict.mine, false);
        }}
      />
    );
  };
  return { save: (record, values) => send(record, values, false), dialog: <Suspense>{question()}</Suspense> };
}
