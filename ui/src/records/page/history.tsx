import { useQuery } from '@tanstack/react-query';
import { type HistoryEntry, historyQuery, type ObjectType } from '@/api';
import { useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './history.module.css';
import { changeText } from './timeline';

const OPS = new Set(['create', 'update', 'delete', 'restore', 'merge', 'unmerge', 'import']);

/** Every version of a record, the newest first, with what changed. */
export function History({ object, id }: { object: ObjectType; id: string }) {
  const { t } = useTranslation('records');
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
          </div>
          {entry.changes.length > 0 && (
            <table className={css.table}>
              <thead>
                <tr>
                  <th scope="col">{t('records:history.field')}</th>
                  <th scope="col">{t('records:history.before')}</th>
                  <th scope="col">{t('records:history.after')}</th>
                </tr>
              </thead>
              <tbody>
                {entry.changes.map((change) => (
                  <tr key={change.field}>
                    <th scope="row">{labelText(change.label, context.language, change.field)}</th>
                    <td>{changeText(change.before, change, object, context)}</td>
                    <td>{changeText(change.after, change, object, context)}</td>
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
