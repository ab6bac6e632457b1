import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import {
  errorText,
  NOTICE_KINDS,
  type Notice,
  noticePreferencesQuery,
  noticesQuery,
  readNotices,
  setNoticePreferences,
  unreadQuery,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Button, EmptyState, ErrorState, Page, Panel, SegmentedControl, SkeletonRows, Switch, toast } from '@/ui';
import { MailChoice } from './mail-preferences';
import css from './notifications.module.css';

function sentence(notice: Notice, t: (key: string, values?: Record<string, unknown>) => string): string {
  const values = {
    who: notice.actor?.name ?? '',
    name: notice.record?.title ?? notice.detail.text ?? '',
    count: notice.times,
  };
  if (notice.kind === 'job') return t(`mine:notice.job.${notice.detail.status === 'done' ? 'done' : 'ended'}`, values);
  if (notice.kind === 'approval') return t(`approvals:notice.${notice.detail.status ?? 'asked'}`, values);
  if (notice.kind === 'changed' && notice.times > 1) return t('mine:notice.changedTimes', values);
  return t(`mine:notice.${notice.kind}`, values);
}

function Row({ notice }: { notice: Notice }) {
  const { t } = useTranslation(['work', 'approvals', 'mine']);
  const fmt = useFormat();
  const client = useQueryClient();
  const { record, detail } = notice;
  const when = notice.kind === 'reminder' && detail.at ? fmt.datetime(detail.at) : '';
  const inside = (
    <>
      <span className={css.text}>{sentence(notice, t)}</span>
      {notice.kind !== 'job' && notice.kind !== 'anomaly' && detail.text && (
        <span className={css.more}>{detail.text}</span>
      )}
      {when !== '' && <span className={css.more}>{when}</span>}
      <time className={css.time} dateTime={notice.at} title={fmt.datetime(notice.at)}>
        {fmt.relative(notice.at)}
      </time>
    </>
  );
  const read = () => {
    if (notice.read_at === null) void readNotices(client, [notice.id]);
  };
  return (
    <li className={cx(css.row, notice.read_at === null && css.fresh)}>
      {detail.approval !== undefined && (
        <Link to="/approvals" search={{ id: detail.approval }} className={css.link} onClick={read}>
          {inside}
        </Link>
      )}
      {detail.approval === undefined && record !== null && (
        <Link to="/o/$object/$id" params={{ object: record.object, id: record.id }} className={css.link} onClick={read}>
          {inside}
        </Link>
      )}
      {record === null && detail.job_id !== undefined && (
        <Link to="/imports/$id" params={{ id: detail.job_id }} className={css.link} onClick={read}>
          {inside}
        </Link>
      )}
      {notice.kind === 'anomaly' && (
        <Link to="/forecast" search={{ tab: 'watch' }} className={css.link} onClick={read}>
          {inside}
        </Link>
      )}
      {notice.kind !== 'anomaly' && record === null && detail.job_id === undefined && detail.approval === undefined && (
        <button type="button" className={css.link} onClick={read}>
          {inside}
        </button>
      )}
    </li>
  );
}

function Preferences() {
  const { t } = useTranslation(['work', 'common', 'mine']);
  const client = useQueryClient();
  const query = noticePreferencesQuery();
  const { data } = useQuery(query);
  if (data === undefined) return <SkeletonRows rows={6} />;
  const set = async (kind: (typeof NOTICE_KINDS)[number], on: boolean) => {
    client.setQueryData(query.queryKey, { kinds: { ...data.kinds, [kind]: on } });
    try {
      client.setQueryData(query.queryKey, await setNoticePreferences({ [kind]: on }));
    } catch (error) {
      client.setQueryData(query.queryKey, data);
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <Panel title={t('mine:notice.settings')}>
      <div className={css.kinds}>
        {NOTICE_KINDS.map((kind) => (
          <Switch
            key={kind}
            label={t(`mine:notice.kind.${kind}`)}
            checked={data.kinds[kind]}
            onChange={(on) => void set(kind, on)}
          />
        ))}
      </div>
    </Panel>
  );
}

/** Everything I was told, and of what I want to be told. */
export function NotificationsPage() {
  const { t } = useTranslation(['work', 'mine']);
  const client = useQueryClient();
  const [show, setShow] = useState<'all' | 'unread'>('all');
  const answer = useInfiniteQuery(noticesQuery(show === 'unread'));
  const unread = useQuery(unreadQuery()).data?.count ?? 0;
  const list = answer.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title={t('mine:notice.title')}
      actions={
        <>
          <SegmentedControl
            label={t('mine:notice.show')}
            value={show}
            onChange={setShow}
            options={[
              { value: 'all', label: t('mine:notice.all') },
              { value: 'unread', label: t('mine:notice.unread') },
            ]}
          />
          <Button disabled={unread === 0} onClick={() => void readNotices(client)}>
            {t('mine:notice.readAll')}
          </Button>
        </>
      }
    >
      <div className={css.columns}>
        <div className={css.main}>
          {answer.isPending && <SkeletonRows rows={6} />}
          {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
          {answer.isSuccess && list.length === 0 && (
            <EmptyState cause="none" title={t('mine:notice.empty')} text={t('mine:notice.emptyText')} />
          )}
          <ul className={css.list} aria-label={t('mine:notice.title')}>
            {list.map((notice) => (
              <Row key={notice.id} notice={notice} />
            ))}
          </ul>
          {answer.hasNextPage && (
            <Button loading={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
              {t('mine:notice.more')}
            </Button>
          )}
        </div>
        <div className={css.side}>
          <Preferences />
          <MailChoice />
        </div>
      </div>
    </Page>
  );
}
