import { useQuery } from '@tanstack/react-query';
import { mergesQuery, type ObjectType, type RecordData } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, EmptyState, ErrorState, Modal, Progress, SkeletonRows } from '@/ui';
import css from './merges.module.css';
import { useMergeWork } from './use-merge';

interface Props {
  object: ObjectType;
  record: RecordData;
  onClose: () => void;
}

/** What was merged into a record, each of which can be taken back. */
export function MergesDialog({ object, record, onClose }: Props) {
  const { t } = useTranslation('merge');
  const fmt = useFormat();
  const answer = useQuery(mergesQuery(object.key, record.id));
  const { unmerge, busy } = useMergeWork(object.key);
  const body = () => {
    if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
    if (answer.data === undefined) return <SkeletonRows rows={3} />;
    if (answer.data.items.length === 0)
      return <EmptyState cause="none" title={t('merge:list.none')} text={t('merge:list.noneText')} compact />;
    return (
      <ul className={css.list}>
        {answer.data.items.map((entry) => (
          <li key={entry.id} className={css.entry}>
            <div className={css.text}>
              <strong>{entry.merged.map((ref) => ref.title || ref.id).join(t('merge:and'))}</strong>
              <span className="muted">
                {entry.actor.name} {'\u00b7'} {fmt.datetime(entry.at)} {'\u00b7'}{' '}
                {entry.moving
                  ? t('merge:list.progress', { moved: fmt.number(entry.moved), total: fmt.number(entry.total) })
                  : t('merge:list.moved', { count: entry.moved })}
              </span>
              {entry.moving && (
                <Progress
                  value={entry.moved / Math.max(1, entry.total)}
                  label={t('merge:list.title', { name: record.title })}
                />
              )}
              {(entry.stuck ?? 0) > 0 && <span className="muted">{t('merge:list.stuck', { count: entry.stuck })}</span>}
            </div>
            <Button loading={busy} onClick={() => void unmerge(entry.id).then((done) => done !== null && onClose())}>
              {t('merge:list.undo')}
            </Button>
          </li>
        ))}
      </ul>
    );
  };
  return (
    <Modal opened onClose={onClose} title={t('merge:list.title', { name: record.title })} size={560}>
      <p className="muted">{t('merge:list.text')}</p>
      {body()}
    </Modal>
  );
}
