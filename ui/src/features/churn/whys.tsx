import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ChurnReasoned, type ChurnWeight, churnWhysQuery, classificationsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Behind } from '@/records/churn/parts';
import { EmptyState, ErrorState, Panel, Select, SkeletonRows, Table } from '@/ui';
import css from './churn.module.css';

const SHOWN = 3;
const USUAL = 'value_tier';

function Weights({ list, of }: { list: readonly ChurnWeight[]; of: string }) {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const label = useLabel();
  if (list.length === 0) return <span className={css.none}>{'\u2013'}</span>;
  return (
    <ul className={css.weights}>
      {list.map((one) => {
        const name = label(one.label, one.key);
        return (
          <li key={one.key} data-stands={one.stands === 1 ? '' : undefined}>
            <Behind
              where={one.where}
              label={t('churn:open', { name: `${of} \u00b7 ${name}`, total: fmt.number(one.customers) })}
            >
              {name}
            </Behind>
            <span>{t('churn:whys.share', { share: fmt.percent(one.share, 0), usual: fmt.percent(one.usual, 0) })}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** Which inferred reasons weigh in which class, and which of them stand out. */
export function Whys() {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const label = useLabel();
  const known = useQuery(classificationsQuery());
  const classes = known.data?.items ?? [];
  const [chosen, setChosen] = useState<string>();
  const by = chosen ?? (classes.find((one) => one.key === USUAL) ?? classes[0])?.key ?? '';
  const answer = useQuery({ ...churnWhysQuery(by), enabled: by !== '' });
  const error = known.error ?? answer.error;
  const name = (one: ChurnReasoned) => (one.key === '' ? t('churn:whys.noClass') : label(one.label, one.key));
  const body = () => {
    if (known.data !== undefined && by === '') return <EmptyState compact cause="none" title={t('churn:whys.none')} />;
    if (answer.data === undefined)
      return error === null ? (
        <SkeletonRows rows={4} />
      ) : (
        <ErrorState error={error} onRetry={() => Promise.all([known.refetch(), by !== '' && answer.refetch()])} />
      );
    if (answer.data.items.length === 0) return <EmptyState compact cause="none" title={t('churn:driversNone')} />;
    return (
      <Table
        label={t('churn:whys.title')}
        rows={answer.data.items}
        rowKey={(one) => one.key}
        columns={[
          { key: 'class', label: t('churn:class'), cell: name },
          {
            key: 'customers',
            label: t('churn:customers'),
            align: 'right',
            cell: (one) => (
              <Behind where={one.where} label={t('churn:open', { name: name(one), total: fmt.number(one.customers) })}>
                {fmt.number(one.customers)}
              </Behind>
            ),
          },
          {
            key: 'most',
            label: t('churn:whys.most'),
            cell: (one) => <Weights of={name(one)} list={one.weights.slice(0, SHOWN)} />,
          },
          {
            key: 'more',
            label: t('churn:whys.more'),
            minor: true,
            cell: (one) =>
              one.few ? (
                <span className={css.none}>{t('churn:whys.few')}</span>
              ) : (
                <Weights of={name(one)} list={one.weights.filter((each) => each.stands === 1).slice(0, SHOWN)} />
              ),
          },
        ]}
      />
    );
  };
  return (
    <Panel
      flush
      title={t('churn:whys.title')}
      aside={
        classes.length > 0 && (
          <div className={css.chooser}>
            <Select
              aria-label={t('churn:byClass')}
              value={by}
              onChange={(next) => next !== null && setChosen(next)}
              options={classes.map((one) => ({ value: one.key, label: label(one.label, one.key) }))}
            />
          </div>
        )
      }
    >
      {body()}
      <p className={css.foot}>{t('churn:whys.means')}</p>
    </Panel>
  );
}
