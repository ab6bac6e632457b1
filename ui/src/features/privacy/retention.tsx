import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { holdsQuery, type RecordHold, type RetentionRule, retentionQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Button, Dot, EmptyState, ErrorState, Panel, prose, SkeletonRows, Table } from '@/ui';
import css from './privacy.module.css';
import { RuleDialog } from './rule-dialog';

/** For how long records are kept, what the rules did at night, and what is kept whatever they say. */
export function RetentionPart() {
  const { t } = useTranslation('privacy');
  const fmt = useFormat();
  const label = useLabel();
  const { data, error, isPending, refetch } = useQuery(retentionQuery());
  const holds = useQuery(holdsQuery());
  const [editing, setEditing] = useState<RetentionRule | 'new' | null>(null);
  const add = (
    <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setEditing('new')}>
      {t('privacy:retention.add')}
    </Button>
  );
  const last = (rule: RetentionRule) => {
    const run = rule.runs[0];
    if (run === undefined) return <span className="muted">{t('privacy:retention.never')}</span>;
    return (
      <span className={prose.lines}>
        <span>{fmt.relative(run.at)}</span>
        <span className={run.error === '' ? 'muted' : css.late}>
          {run.error || t('privacy:retention.did', { done: run.done, held: run.held })}
        </span>
      </span>
    );
  };
  return (
    <div className={css.stack}>
      <Panel flush title={t('privacy:retention.title')} aside={add}>
        {isPending && <SkeletonRows rows={3} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<RetentionRule>
            label={t('privacy:retention.title')}
            rows={data.items}
            rowKey={(each) => each.id}
            onRowClick={setEditing}
            empty={
              <EmptyState
                compact
                cause="none"
                title={t('privacy:retention.none')}
                text={t('privacy:retention.noneText')}
              />
            }
            columns={[
              {
                key: 'name',
                label: t('privacy:retention.name'),
                cell: (each) => (
                  <span className={prose.lines}>
                    <span>{each.name}</span>
                    <span className="muted">
                      {label(each.label, each.object)} · {t(`privacy:action.${each.action}`)}
                    </span>
                  </span>
                ),
              },
              {
                key: 'months',
                label: t('privacy:retention.after'),
                cell: (each) =>
                  `${t('privacy:retention.months', { count: each.months })} · ${t(`privacy:basis.${each.basis}`)}`,
              },
              {
                key: 'active',
                label: t('privacy:erasures.state'),
                cell: (each) => (
                  <Dot color={each.active ? 'green' : 'gray'}>
                    {t(each.active ? 'privacy:retention.on' : 'privacy:retention.off')}
                  </Dot>
                ),
              },
              { key: 'last', label: t('privacy:retention.last'), minor: true, cell: last },
            ]}
          />
        )}
      </Panel>
      {holds.data !== undefined && holds.data.items.length > 0 && (
        <Panel flush title={t('privacy:hold.list')}>
          <Table<RecordHold>
            label={t('privacy:hold.list')}
            rows={holds.data.items}
            rowKey={(each) => each.record}
            columns={[
              { key: 'record', label: t('privacy:erasures.record'), cell: (each) => <code>{each.record}</code> },
              { key: 'reason', label: t('privacy:hold.reason'), cell: (each) => each.reason },
              { key: 'by', label: t('privacy:hold.by'), minor: true, cell: (each) => each.by.name },
              { key: 'at', label: t('privacy:erasures.at'), minor: true, cell: (each) => fmt.date(each.at) },
            ]}
          />
        </Panel>
      )}
      {editing !== null && (
        <RuleDialog rule={editing === 'new' ? undefined : editing} onClose={() => setEditing(null)} />
      )}
    </div>
  );
}
