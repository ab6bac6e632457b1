import { IconRefresh, IconX } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import {
  isApiError,
  type MailItem,
  type MailItemState,
  type MailProfiles,
  mailLogQuery,
  type StoppedAddress,
  stoppedQuery,
  useReleaseAddress,
  useTouchMails,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import {
  Button,
  confirm,
  EmptyState,
  ErrorState,
  Panel,
  Pill,
  prose,
  SearchInput,
  SegmentedControl,
  Select,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import own from './mail.module.css';
import css from './settings.module.css';

const SHOWN = ['waiting', 'unknown', 'failed', 'sent', 'cancelled'] as const;
const COLORS: Record<MailItemState, string> = {
  waiting: 'blue',
  sending: 'blue',
  sent: 'green',
  failed: 'red',
  unknown: 'orange',
  cancelled: 'gray',
};

/** What waits and what was sent, and addresses that take nothing any more. */
export function MailLog({ counts }: { counts: MailProfiles['counts'] }) {
  const { t } = useTranslation('mail');
  const [tab, setTab] = useState<'log' | 'stopped'>('log');
  return (
    <Panel
      flush
      title={t('mail:log.title')}
      aside={
        <SegmentedControl
          label={t('mail:log.title')}
          value={tab}
          onChange={setTab}
          options={[
            { value: 'log', label: t('mail:log.tab') },
            { value: 'stopped', label: t('mail:stopped.tab') },
          ]}
        />
      }
    >
      {tab === 'log' ? <Log counts={counts} /> : <Stopped />}
    </Panel>
  );
}

function useTouch() {
  const { t } = useTranslation('mail');
  const touch = useTouchMails();
  return {
    pending: touch.isPending,
    run: async (what: 'replay' | 'cancel', mail: MailItem) => {
      if (what === 'replay' && mail.state === 'unknown') {
        const sure = await confirm({
          title: t('mail:again.title'),
          text: t('mail:again.text'),
          confirm: t('mail:again.confirm'),
          danger: true,
        });
        if (!sure) return;
      }
      touch.mutate(
        { what, ids: [mail.id] },
        {
          onSuccess: ({ count }) => count > 0 && toast.ok(t(`mail:done.${what}`)),
          onError: (error) => toast.error(error.message),
        },
      );
    },
  };
}

function Log({ counts }: { counts: MailProfiles['counts'] }) {
  const { t } = useTranslation(['mail', 'common']);
  const fmt = useFormat();
  const [state, setState] = useState<MailItemState | null>(null);
  const [address, setAddress] = useState('');
  const whole = /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(address.trim()) ? address.trim() : '';
  const touch = useTouch();
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    mailLogQuery(state, whole),
  );
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className={own.filters}>
        <Select
          aria-label={t('mail:stateLabel')}
          value={state ?? 'all'}
          onChange={(value) => setState(value === 'all' ? null : (value as MailItemState))}
          options={[
            { value: 'all', label: t('mail:log.all') },
            ...SHOWN.map((each) => ({
              value: each as string,
              label: counts[each]
                ? `${t(`mail:mailState.${each}`)} (${fmt.number(counts[each])})`
                : t(`mail:mailState.${each}`),
            })),
          ]}
        />
        <SearchInput
          aria-label={t('mail:log.address')}
          placeholder={t('mail:log.address')}
          value={address}
          onChange={setAddress}
        />
      </div>
      {isPending && <SkeletonRows rows={4} />}
      {error !== null && data === undefined && (
        <ErrorState compact error={error} {...(!isApiError(error, 422) && { onRetry: () => refetch() })} />
      )}
      {data !== undefined && (
        <Table<MailItem>
          label={t('mail:log.title')}
          rows={rows}
          rowKey={(row) => row.id}
          empty={
            <EmptyState
              compact
              cause={state === null && whole === '' ? 'none' : 'no_match'}
              {...(state === null && whole === '' && { title: t('mail:log.none'), text: t('mail:log.noneText') })}
            />
          }
          columns={[
            {
              key: 'mail',
              label: t('mail:log.mail'),
              cell: (row) => (
                <span className={prose.lines}>
                  <span>
                    {t(`mail:kind.${row.kind}`, { defaultValue: row.kind })}{' '}
                    {row.about !== null && (
                      <Link
                        to="/o/$object/$id"
                        params={{ object: row.about.object, id: row.about.id }}
                        className={prose.plain}
                      >
                        {t('mail:log.about')}
                      </Link>
                    )}
                  </span>
                  <span className="muted">
                    {row.to} · {fmt.datetime(row.created_at)}
                  </span>
                </span>
              ),
            },
            {
              key: 'state',
              label: t('mail:stateLabel'),
              cell: (row) => (
                <span className={prose.lines}>
                  <span>
                    <Pill color={COLORS[row.state]}>{t(`mail:mailState.${row.state}`)}</Pill>
                  </span>
                  {row.reason !== '' && <span className="muted">{t(`mail:reason.${row.reason}`)}</span>}
                  {row.reply !== '' && <code className={own.reply}>{row.reply}</code>}
                </span>
              ),
            },
            {
              key: 'next',
              label: t('mail:log.next'),
              minor: true,
              cell: (row) =>
                row.next_at !== null && row.attempts > 0 ? (
                  <span className="muted">{fmt.datetime(row.next_at)}</span>
                ) : null,
            },
            {
              key: 'actions',
              label: <span className="sr-only">{t('mail:log.actions')}</span>,
              align: 'right',
              cell: (row) => (
                <span className={own.actions}>
                  {row.again && (
                    <Button
                      kind="subtle"
                      icon={<IconRefresh size={15} />}
                      disabled={touch.pending}
                      onClick={() => touch.run('replay', row)}
                    >
                      {t('mail:log.again')}
                    </Button>
                  )}
                  {(row.state === 'waiting' || row.state === 'unknown') && (
                    <Button
                      kind="subtle"
                      icon={<IconX size={15} />}
                      disabled={touch.pending}
                      onClick={() => touch.run('cancel', row)}
                    >
                      {row.state === 'unknown' ? t('mail:log.setAside') : t('mail:log.cancel')}
                    </Button>
                  )}
                </span>
              ),
            },
          ]}
        />
      )}
      {hasNextPage && (
        <div className={css.more}>
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('mail:log.more')}
          </Button>
        </div>
      )}
    </>
  );
}

function Stopped() {
  const { t } = useTranslation('mail');
  const fmt = useFormat();
  const release = useReleaseAddress();
  const { data, error, refetch } = useQuery(stoppedQuery());
  if (data === undefined)
    return error === null ? <SkeletonRows rows={3} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  return (
    <Table<StoppedAddress>
      label={t('mail:stopped.tab')}
      rows={data.items}
      rowKey={(row) => row.key}
      empty={<EmptyState compact cause="none" title={t('mail:stopped.none')} text={t('mail:stopped.noneText')} />}
      columns={[
        {
          key: 'to',
          label: t('mail:stopped.address'),
          cell: (row) => (
            <span className={prose.lines}>
              <span>{row.to}</span>
              <span className="muted">
                {t(`mail:why.${row.reason}`, { defaultValue: row.reason })} {'\u00b7'} {fmt.datetime(row.at)}
              </span>
            </span>
          ),
        },
        { key: 'reply', label: t('mail:stopped.reply'), cell: (row) => <code className={own.reply}>{row.reply}</code> },
        {
          key: 'actions',
          label: <span className="sr-only">{t('mail:log.actions')}</span>,
          align: 'right',
          cell: (row) => (
            <Button
              kind="subtle"
              disabled={release.isPending}
              onClick={() =>
                release.mutate(row.key, {
                  onSuccess: () => toast.ok(t('mail:stopped.released')),
                  onError: (failure) => toast.error(failure.message),
                })
              }
            >
              {t('mail:stopped.release')}
            </Button>
          ),
        },
      ]}
    />
  );
}
