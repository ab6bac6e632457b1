import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ChurnOverview, recordPageQuery } from '@/api';
import { useFieldContext } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useTraits } from '@/metadata';
import { traitText } from '@/records/trait-text';
import { EmptyState, ErrorState, Panel, SkeletonRows, Table } from '@/ui';
import css from './churn.module.css';
import { Behind } from './parts';

interface Props {
  data: ChurnOverview;
  shown?: number;
}
/** Valuable customers whose risk is high or medium, those worth most first; only those whom the reader sees. */
export function Leaving({ data, shown = 10 }: Props) {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const label = useLabel();
  const context = useFieldContext();
  const traits = useTraits();
  const { where, sort, by, floor, share } = data.leaving;
  const keys = [by, 'churn_risk', 'churn_driver', 'days_since_last'];
  const answer = useQuery(
    recordPageQuery('customer', {
      where,
      sort,
      fields: ['name', 'owner'],
      traits: keys,
      limit: shown,
      total: 'capped',
    }),
  );
  const known = (key: string) => traits.find((one) => one.key === key);
  const column = (key: string, minor = false) => ({
    key,
    label: label(known(key)?.label, key),
    align: key === 'churn_driver' ? ('left' as const) : ('right' as const),
    minor,
  });
  const page = answer.data;
  const means = t(by === 'clv' ? 'churn:leaving.byValue' : 'churn:leaving.bySpend', {
    share: fmt.percent(share, 0),
    floor: floor === null ? '' : fmt.money(floor, { compact: true }),
  });
  const body = () => {
    if (page === undefined)
      return answer.error === null ? (
        <SkeletonRows rows={5} />
      ) : (
        <ErrorState error={answer.error} onRetry={() => answer.refetch()} />
      );
    if (page.items.length === 0)
      return <EmptyState compact cause="no_match" title={t('churn:leaving.none')} text={t('churn:leaving.noneText')} />;
    return (
      <Table
        label={t('churn:leaving.title')}
        rows={page.items}
        rowKey={(one) => one.id}
        columns={[
          {
            key: 'name',
            label: t('churn:customer'),
            cell: (one) => (
              <Link className={css.behind} to="/o/$object/$id" params={{ object: 'customer', id: one.id }}>
                {one.title || one.id}
              </Link>
            ),
          },
          ...keys.map((key) => ({
            ...column(key, key === 'days_since_last' || key === 'churn_driver'),
            cell: (one: (typeof page.items)[number]) => {
              const trait = known(key);
              return traitText(one.traits?.[key], context, { type: trait?.type, unit: trait?.unit });
            },
          })),
        ]}
      />
    );
  };
  return (
    <Panel
      flush
      title={t('churn:leaving.title')}
      aside={
        page !== undefined &&
        page.items.length > 0 && (
          <Behind where={where} label={means}>
            {t('churn:leaving.all', { total: fmt.number(page.total ?? page.items.length) })}
          </Behind>
        )
      }
    >
      {body()}
      <p className={css.foot}>{means}</p>
    </Panel>
  );
}
