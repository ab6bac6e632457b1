import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type PrivacyRequest, requestsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Dot, EmptyState, ErrorState, Panel, prose, SegmentedControl, SkeletonRows, Table } from '@/ui';
import css from './privacy.module.css';
import { RequestDialog } from './request-dialog';

const COLORS: Record<PrivacyRequest['state'], string> = {
  open: 'amber',
  working: 'blue',
  done: 'green',
  refused: 'red',
  withdrawn: 'gray',
};

/** The register: open requests by the day on which they are due, and those that were answered. */
export function RequestsPart() {
  const { t } = useTranslation('privacy');
  const fmt = useFormat();
  const [which, setWhich] = useState<'open' | 'closed'>('open');
  const [editing, setEditing] = useState<PrivacyRequest | 'new' | null>(null);
  const { data, error, isPending, refetch } = useQuery(requestsQuery(which === 'open'));
  const due = (each: PrivacyRequest) => {
    if (each.closed_at !== null) return fmt.date(each.closed_at);
    const left =
      each.days_left < 0
        ? t('privacy:requests.late', { count: -each.days_left })
        : t('privacy:requests.left', { count: each.days_left });
    return (
      <span className={prose.lines}>
        <span>{fmt.date(each.due_on)}</span>
        <span className={each.days_left < 0 ? css.late : 'muted'}>{left}</span>
      </span>
    );
  };
  const add = (
    <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setEditing('new')}>
      {t('privacy:requests.add')}
    </Button>
  );
  return (
    <Panel
      flush
      title={
        <SegmentedControl
          label={t('privacy:requests.which')}
          value={which}
          onChange={setWhich}
          options={[
            { value: 'open', label: t('privacy:requests.open') },
            { value: 'closed', label: t('privacy:requests.closed') },
          ]}
        />
      }
      aside={add}
    >
      {isPending && <SkeletonRows rows={3} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <Table<PrivacyRequest>
          label={t('privacy:tab.requests')}
          rows={data.items}
          rowKey={(each) => each.id}
          onRowClick={setEditing}
          empty={
            <EmptyState compact cause="none" title={t('privacy:requests.none')} text={t('privacy:requests.noneText')} />
          }
          columns={[
            { key: 'kind', label: t('privacy:requests.kind'), cell: (each) => t(`privacy:kind.${each.kind}`) },
            {
              key: 'who',
              label: t('privacy:requests.who'),
              cell: (each) => each.record?.title || each.record?.id || '\u2013',
            },
            {
              key: 'due',
              label: which === 'open' ? t('privacy:requests.due') : t('privacy:requests.closedOn'),
              cell: due,
            },
            {
              key: 'state',
              label: t('privacy:erasures.state'),
              cell: (each) => <Dot color={COLORS[each.state]}>{t(`privacy:requestState.${each.state}`)}</Dot>,
            },
            {
              key: 'assignee',
              label: t('privacy:requests.assignee'),
              minor: true,
              cell: (each) => each.assignee?.title ?? '\u2013',
            },
            {
              key: 'proof',
              label: t('privacy:requests.proof'),
              minor: true,
              cell: (each) => <code>{each.proof}</code>,
            },
          ]}
        />
      )}
      {editing !== null && (
        <RequestDialog request={editing === 'new' ? undefined : editing} onClose={() => setEditing(null)} />
      )}
    </Panel>
  );
}
