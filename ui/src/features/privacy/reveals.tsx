import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type AuditEntry, type RevealCount, revealsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, findObject, useObjects } from '@/metadata';
import { Button, EmptyState, ErrorState, Panel, SkeletonRows, Table } from '@/ui';
import css from './privacy.module.css';

/** Who read whose personal fields in clear. */
export function RevealsPart() {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    revealsQuery(),
  );
  if (isPending) return <SkeletonRows rows={5} />;
  if (data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  const items = data.pages.flatMap((page) => page.items);
  const people = data.pages[0]?.people ?? [];
  const fields = (entry: AuditEntry) => {
    const object = findObject(objects, entry.object ?? '');
    const keys = Array.isArray(entry.detail.fields) ? (entry.detail.fields as string[]) : [];
    return fmt.list(keys.map((key) => label(findField(object, key)?.label, key)));
  };
  return (
    <div className={css.stack}>
      {people.length > 0 && (
        <Panel flush title={t('privacy:reveals.people')}>
          <Table<RevealCount>
            label={t('privacy:reveals.people')}
            rows={people}
            rowKey={(each) => each.actor.kind + each.actor.id}
            columns={[
              { key: 'who', label: t('privacy:reveals.who'), cell: (each) => each.actor.name || each.actor.kind },
              {
                key: 'count',
                label: t('privacy:reveals.count'),
                align: 'right',
                cell: (each) => fmt.number(each.count),
              },
            ]}
          />
        </Panel>
      )}
      <Panel flush title={t('privacy:reveals.title')}>
        <Table<AuditEntry>
          label={t('privacy:reveals.title')}
          rows={items}
          rowKey={(each) => each.id}
          empty={
            <EmptyState compact cause="none" title={t('privacy:reveals.none')} text={t('privacy:reveals.noneText')} />
          }
          columns={[
            { key: 'at', label: t('privacy:erasures.at'), cell: (each) => fmt.datetime(each.at) },
            { key: 'who', label: t('privacy:reveals.who'), cell: (each) => each.actor.name || each.actor.kind },
            {
              key: 'record',
              label: t('privacy:erasures.record'),
              cell: (each) =>
                each.record_id !== null && each.object !== null ? (
                  <Link to="/o/$object/$id" params={{ object: each.object, id: each.record_id }} search={{}}>
                    {label(findObject(objects, each.object)?.label, each.object)} {each.record_id}
                  </Link>
                ) : (
                  '\u2013'
                ),
            },
            { key: 'fields', label: t('privacy:reveals.fields'), cell: fields },
          ]}
        />
        {hasNextPage && (
          <div className={css.more}>
            <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
              {t('common:more')}
            </Button>
          </div>
        )}
      </Panel>
    </div>
  );
}
