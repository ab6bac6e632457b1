import { useQuery, useQueryClient } from '@tanstack/react-query';
import {
  errorText,
  type HistoryEntry,
  historyQuery,
  isApiError,
  type ObjectType,
  patchRecordCache,
  type RecordData,
  recordKeys,
  revertRecord,
} from '@/api';
import { useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { canEdit, findField } from '@/metadata';
import { Button, EmptyState, ErrorState, SkeletonRows, toast } from '@/ui';
import css from './history.module.css';
import { changeText } from './timeline';

const OPS = new Set(['create', 'update', 'delete', 'restore', 'merge', 'unmerge', 'import']);

const canRestore = (object: ObjectType, key: string): boolean => {
  const field = findField(object, key);
  return field !== undefined && canEdit(field, object);
};

/** Puts a field, or everything that changed since, back to what it was at a version. That is a change too, and can be taken back. */
function useRestore(record: RecordData): (to: number, field?: string) => Promise<void> {
  const { t } = useTranslation(['work', 'common']);
  const client = useQueryClient();
  const run = async (from: RecordData, to: number, fields: string[], undoing: boolean) => {
    try {
      const saved = await revertRecord(from, to, fields);
      patchRecordCache(client, saved);
      const undo = { label: t('common:undo'), run: () => void run(saved, from.version, fields, true) };
      toast.ok(
        t(saved.version === from.version ? 'work:restoredNothing' : 'work:restored'),
        undoing || saved.version === from.version ? {} : { action: undo },
      );
    } catch (error) {
      toast.error(t('common:failed.save'), {
        detail: isApiError(error, 412) ? t('work:changedMeanwhile') : errorText(error),
      });
    }
    await client.invalidateQueries({ queryKey: recordKeys.one(from.object, from.id) });
    await client.invalidateQueries({ queryKey: ['customers', from.id] });
  };
  return (to, field) => run(record, to, field === undefined ? [] : [field], false);
}

/** Every version of a record, the newest first, with what changed. */
export function History({ object, record }: { object: ObjectType; record: RecordData }) {
  const { t } = useTranslation(['records', 'work', 'common']);
  const { id } = record;
  const restore = useRestore(record);
  const editable = object.actions.update && record.deleted_at === null;
  const fmt = useFormat();
  const context = useFieldContext();
  const answer = useQuery(historyQuery(object.key, id));
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
  if (answer.data === undefined) return <SkeletonRows rows={5} />;
  const entries = answer.data.items;
  if (entries.length === 0) return <EmptyState cause="none" title={t('records:history.empty')} text="" compact />;
  const opText = (entry: HistoryEntry) => t(`records:history.op.${OPS.has(entry.op) ? entry.op : 'other'}`);
  return (
    <ol className={css.history}>
      {entries.map((entry) => (
        <li key={entry.version} className={css.version}>
          <div className={css.head}>
            <strong>{opText(entry)}</strong>
            <span className="muted">{t('records:history.version', { version: entry.version })}</span>
            <span className="muted">{entry.actor.name}</span>
            <time className={css.time} dateTime={entry.at} title={fmt.datetime(entry.at)}>
              {fmt.datetime(entry.at)}
            </time>
            {editable && entry.version < record.version && (
              <Button kind="subtle" onClick={() => void restore(entry.version)}>
                {t('work:restoreVersion')}
              </Button>
            )}
          </div>
          {entry.changes.length > 0 && (
            <table className={css.table}>
              <thead>
                <tr>
                  <th scope="col">{t('records:history.field')}</th>
                  <th scope="col">{t('records:history.before')}</th>
                  <th scope="col">{t('records:history.after')}</th>
                  {editable && (
                    <th scope="col">
                      <span className="sr-only">{t('work:restoreField')}</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {entry.changes.map((change) => (
                  <tr key={change.field}>
                    <th scope="row">{labelText(change.label, context.language, change.field)}</th>
                    <td>{changeText(change.before, change, object, context)}</td>
                    <td>{changeText(change.after, change, object, context)}</td>
                    {editable && (
                      <td>
                        {canRestore(object, change.field) && (
                          <Button kind="subtle" onClick={() => void restore(entry.version - 1, change.field)}>
                            {t('work:restoreField')}
                          </Button>
                        )}
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </li>
      ))}
    </ol>
  );
}
