import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Device, type SignInTry, signInsQuery, usersQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, Dot, EmptyState, ErrorState, prose, Select, SkeletonRows, Table, type TableColumn } from '@/ui';
import css from './settings.module.css';

/** "Chrome · Windows", or that nothing is known of it. */
export function useDeviceName(): (device: Device) => string {
  const { t } = useTranslation('settings');
  return ({ browser, system }) =>
    [browser, system].filter((part) => part !== '').join(' \u00b7 ') || t('settings:sessions.unknownDevice');
}

const TONES: Record<SignInTry['outcome'], string> = {
  ok: 'green',
  wrong_password: 'red',
  unknown_account: 'red',
  disabled: 'gray',
  locked: 'amber',
  wrong_code: 'red',
  wrong_passkey: 'red',
  provider_refused: 'red',
  provider_only: 'amber',
};

/** Attempts to sign in, newest first: one's own, or those of everybody. */
export function SignIns({ whose, user }: { whose: 'mine' | 'all'; user?: string }) {
  const { t } = useTranslation(['settings', 'ways']);
  const fmt = useFormat();
  const deviceName = useDeviceName();
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    signInsQuery(whose, user),
  );
  const person: TableColumn<SignInTry> = {
    key: 'user',
    label: t('settings:signIns.person'),
    cell: (entry) =>
      entry.user === null ? <span className="muted">{t('settings:signIns.nobody')}</span> : entry.user.name,
  };
  const columns: TableColumn<SignInTry>[] = [
    {
      key: 'at',
      label: t('settings:audit.at'),
      width: 160,
      cell: (entry) => <span className={prose.when}>{fmt.datetime(entry.at)}</span>,
    },
    ...(whose === 'all' ? [person] : []),
    {
      key: 'outcome',
      label: t('settings:signIns.outcome'),
      cell: (entry) => <Dot color={TONES[entry.outcome]}>{t(`settings:signIns.outcomes.${entry.outcome}`)}</Dot>,
    },
    {
      key: 'way',
      label: t('ways:way.label'),
      minor: true,
      cell: (entry) => (entry.way === undefined ? '' : t(`ways:way.${entry.way}`)),
    },
    {
      key: 'device',
      label: t('settings:sessions.device'),
      minor: true,
      cell: (entry) => <span className={css.nowrap}>{deviceName(entry.device)}</span>,
    },
    {
      key: 'address',
      label: t('settings:sessions.address'),
      minor: true,
      cell: (entry) => <span className="muted">{entry.address}</span>,
    },
  ];
  return (
    <>
      {isPending && <SkeletonRows rows={4} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <Table
          label={t('settings:page.signins')}
          rows={data.pages.flatMap((page) => page.items)}
          rowKey={(entry) => entry.id}
          empty={<EmptyState compact cause={user === undefined ? 'none' : 'no_match'} />}
          columns={columns}
        />
      )}
      {hasNextPage && (
        <div className={css.more}>
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('settings:audit.more')}
          </Button>
        </div>
      )}
    </>
  );
}

/** Attempts of everybody in the workspace, for those who read the trail. */
export function SignInsPage() {
  const { t } = useTranslation('settings');
  const allowed = useCan()('audit.read');
  const [user, setUser] = useState<string | null>(null);
  const users = useQuery({ ...usersQuery(), enabled: allowed });
  if (!allowed) return <EmptyState cause="no_permission" />;
  return (
    <div className="stack">
      <div className={css.filters}>
        <Select
          aria-label={t('settings:signIns.person')}
          placeholder={t('settings:audit.anybody')}
          clearable
          searchable
          options={(users.data?.items ?? []).map((each) => ({ value: each.id, label: each.name || each.email }))}
          value={user}
          onChange={setUser}
        />
      </div>
      <div className={css.boxed}>
        <SignIns whose="all" {...(user !== null && { user })} />
      </div>
    </div>
  );
}
