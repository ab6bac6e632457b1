import { IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { type Association, associationsQuery, type Condition, type Ref } from '@/api';
import { RecordSelect } from '@/fields/base/record-select';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import {
  ButtonLink,
  EmptyState,
  ErrorState,
  Panel,
  SegmentedControl,
  SkeletonRows,
  Table,
  type TableColumn,
} from '@/ui';
import { Toolbar } from '@/ui/figures';
import css from './recommend-page.module.css';

const ORDERS = ['lift_low', 'both', 'confidence'] as const;
type Order = (typeof ORDERS)[number];

/** Customers who bought both products. */
const buyersOf = (rule: Association): Condition => ({
  all: [rule.from, rule.to].map((ref) => ({
    record: 'order_line',
    where: { field: 'product', op: '=', value: ref.id },
    op: '>=',
    value: 1,
  })),
});

/** Products that are bought together, with how sure that is. */
export function Associations({ product }: { product: string | undefined }) {
  const { t } = useTranslation('recommend');
  const navigate = useNavigate();
  const [order, setOrder] = useState<Order>('lift_low');
  const answer = useQuery(associationsQuery(product));
  const data = answer.data;
  const chosen: Ref | null = product === undefined ? null : { id: product, object: 'product', title: '' };
  const choose = (ref: Ref | null) =>
    navigate({ to: '/recommend', search: { tab: 'together', product: ref?.id } as never, replace: true });
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (data === undefined) return <SkeletonRows rows={8} />;
  const rows = [...data.items].sort((left, right) => right[order] - left[order]).slice(0, 100);
  return (
    <>
      <Toolbar>
        <div className={css.choice}>
          <RecordSelect object="product" label={t('recommend:together.product')} value={chosen} onChange={choose} />
        </div>
        <SegmentedControl<Order>
          label={t('recommend:together.order')}
          value={order}
          onChange={setOrder}
          options={ORDERS.map((key) => ({ value: key, label: t(`recommend:together.by.${key}`) }))}
        />
      </Toolbar>
      <Panel flush title={t('recommend:together.title')}>
        {rows.length === 0 ? (
          <EmptyState
            compact
            cause={product === undefined ? 'none' : 'no_match'}
            title={t('recommend:together.none')}
            text={t('recommend:together.noneText')}
          />
        ) : (
          <Rules rows={rows} />
        )}
        <p className={css.foot}>{t('recommend:together.means', { count: data.orders })}</p>
      </Panel>
    </>
  );
}

function Product({ of }: { of: Ref }) {
  return (
    <Link to="/o/$object/$id" params={{ object: 'product', id: of.id }} className={css.product}>
      {of.title}
    </Link>
  );
}

function Rules({ rows }: { rows: Association[] }) {
  const { t } = useTranslation('recommend');
  const fmt = useFormat();
  const number = (key: string, cell: (rule: Association) => string, minor = false): TableColumn<Association> => ({
    key,
    label: <span title={t(`recommend:together.explain.${key}`)}>{t(`recommend:together.${key}`)}</span>,
    align: 'right',
    minor,
    cell,
  });
  const sure = (q: number) => {
    if (q < 0.001) return '< 0.1%';
    return fmt.percent(q, 1);
  };
  return (
    <Table
      label={t('recommend:together.title')}
      rows={rows}
      rowKey={(rule) => `${rule.from.id} ${rule.to.id}`}
      columns={[
        { key: 'from', label: t('recommend:together.from'), cell: (rule) => <Product of={rule.from} /> },
        { key: 'to', label: t('recommend:together.to'), cell: (rule) => <Product of={rule.to} /> },
        number('support', (rule) => `${fmt.number(rule.both)} (${fmt.percent(rule.support, 2)})`),
        number('confidence', (rule) => fmt.percent(rule.confidence, 1)),
        number('reverse', (rule) => fmt.percent(rule.reverse, 1), true),
        number('lift', (rule) => fmt.number(Math.round(rule.lift * 10) / 10)),
        number('lift_low', (rule) => fmt.number(Math.round(rule.lift_low * 10) / 10), true),
        number('q', (rule) => sure(rule.q), true),
        {
          key: 'people',
          label: t('recommend:together.people'),
          align: 'right',
          cell: (rule) => (
            <ButtonLink
              kind="subtle"
              icon={<IconUsers size={15} />}
              to="/o/$object"
              params={{ object: 'customer' }}
              search={{ where: encodeCondition(buyersOf(rule)) }}
              aria-label={t('recommend:together.show', { from: rule.from.title, to: rule.to.title })}
            />
          ),
        },
      ]}
    />
  );
}
