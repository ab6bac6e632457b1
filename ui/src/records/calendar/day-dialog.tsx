import { useInfiniteQuery } from '@tanstack/react-query';
import { type RecordData, type RecordQuery, recordInfiniteQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, ErrorState, Modal, SkeletonRows } from '@/ui';
import css from './calendar.module.css';

interface Props {
  object: string;
  title: string;
  query: RecordQuery;
  render: (record: RecordData) => React.ReactNode;
  onClose: () => void;
}

/** Everything of a day that has more than its box shows. */
export function DayDialog({ object, title, query, render, onClose }: Props) {
  const { t } = useTranslation(['views', 'common', 'layouts']);
  const answer = useInfiniteQuery(recordInfiniteQuery(object, { ...query, limit: 100 }));
  const records = answer.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Modal opened onClose={onClose} title={title} size={460}>
      {answer.isPending && <SkeletonRows rows={6} />}
      {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      <ul className={css.dayList}>
        {records.map((record) => (
          <li key={record.id}>{render(record)}</li>
        ))}
      </ul>
      {answer.hasNextPage && (
        <Button fullWidth loading={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
          {t('layouts:calendar.moreOfDay')}
        </Button>
      )}
    </Modal>
  );
}
