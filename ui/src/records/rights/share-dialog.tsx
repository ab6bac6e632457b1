import { IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  isApiError,
  type ObjectType,
  orgQuery,
  type RecordData,
  type ShareKind,
  sharesQuery,
  usersQuery,
  useShare,
  useUnshare,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import {
  Avatar,
  Button,
  DatePicker,
  EmptyState,
  ErrorState,
  IconButton,
  Modal,
  SegmentedControl,
  Select,
  SkeletonRows,
  toast,
} from '@/ui';
import css from './rights.module.css';

interface Props {
  object: ObjectType;
  record: RecordData;
  onClose: () => void;
}

/** Everybody a record can be shared with: people, teams, departments. The value is "kind id". */
function useGrantees() {
  const { t } = useTranslation('rights');
  const users = useQuery(usersQuery());
  const org = useQuery(orgQuery());
  const units = (kind: 'team' | 'department') =>
    (org.data?.items ?? [])
      .filter((unit) => unit.kind === kind)
      .map((unit) => ({ value: `${kind} ${unit.id}`, label: unit.name, group: t(`rights:share.kind.${kind}`) }));
  return [
    ...(users.data?.items ?? [])
      .filter((user) => !user.disabled)
      .map((user) => ({
        value: `user ${user.id}`,
        label: user.name || user.email,
        group: t('rights:share.kind.user'),
      })),
    ...units('team'),
    ...units('department'),
  ];
}

/** Whom one record is shared with, and sharing it with more. */
export function ShareDialog({ object, record, onClose }: Props) {
  const { t } = useTranslation(['rights', 'common']);
  const fmt = useFormat();
  const grantees = useGrantees();
  const shares = useQuery(sharesQuery(object.key, record.id));
  const share = useShare(object.key, record.id);
  const unshare = useUnshare(object.key, record.id);
  const [to, setTo] = useState<string | null>(null);
  const [access, setAccess] = useState<'read' | 'write'>('read');
  const [until, setUntil] = useState<string | null>(null);
  const problem = isApiError(share.error) ? (share.error.fields[0]?.message ?? share.error.message) : null;
  const add = () => {
    const [kind, id] = (to ?? '').split(' ');
    if (kind === undefined || id === undefined) return;
    // The day itself is still shared.
    const end = until === null ? undefined : new Date(`${until}T23:59:59`).toISOString();
    share.mutate(
      { kind: kind as ShareKind, to: id, access, ...(end !== undefined && { until: end }) },
      {
        onSuccess: () => {
          setTo(null);
          setUntil(null);
          toast.ok(t('rights:share.done'));
        },
      },
    );
  };
  const list = () => {
    if (shares.isError) return <ErrorState compact error={shares.error} onRetry={() => shares.refetch()} />;
    if (shares.data === undefined) return <SkeletonRows rows={2} />;
    if (shares.data.items.length === 0)
      return <EmptyState compact cause="none" title={t('rights:share.none')} text={t('rights:share.noneText')} />;
    return (
      <ul className={css.list}>
        {shares.data.items.map((each) => (
          <li key={each.id}>
            <Avatar name={each.name || each.to} size={26} shape="round" />
            <span className={css.text}>
              <span className="truncate">{each.name || each.to}</span>
              <span className="muted truncate">
                {[
                  t(`rights:share.kind.${each.kind}`),
                  t(`rights:share.access.${each.access}`),
                  each.until === null
                    ? t('rights:share.forever')
                    : t('rights:share.till', { day: fmt.date(each.until) }),
                ].join(' \u00b7 ')}
              </span>
            </span>
            <IconButton
              label={t('rights:share.remove', { name: each.name || each.to })}
              icon={<IconTrash size={16} />}
              onClick={() => unshare.mutate(each.id, { onError: (error) => toast.error(error.message) })}
            />
          </li>
        ))}
      </ul>
    );
  };
  return (
    <Modal opened onClose={onClose} title={t('rights:share.title', { name: record.title })} size={540}>
      <div className={css.form}>
        <Select
          label={t('rights:share.with')}
          placeholder={t('rights:share.pick')}
          searchable
          options={grantees}
          value={to}
          onChange={setTo}
        />
        <div className={css.row}>
          <SegmentedControl
            label={t('rights:share.how')}
            value={access}
            onChange={(next) => setAccess(next as 'read' | 'write')}
            options={[
              { value: 'read', label: t('rights:share.access.read') },
              { value: 'write', label: t('rights:share.access.write') },
            ]}
          />
          <DatePicker
            aria-label={t('rights:share.until')}
            placeholder={t('rights:share.until')}
            clearable
            value={until}
            onChange={setUntil}
          />
          <Button kind="primary" disabled={to === null} loading={share.isPending} onClick={add}>
            {t('rights:share.add')}
          </Button>
        </div>
        {problem !== null && (
          <p className={css.bad} role="alert">
            {problem}
          </p>
        )}
      </div>
      {list()}
    </Modal>
  );
}
