import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type BoughtProduct,
  type BuyingHabits,
  habitsQuery,
  RECOMMEND_KINDS,
  type RecommendKind,
  type RecordData,
  type Ref,
  recommendationsQuery,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, useObject } from '@/metadata';
import { EmptyState, ErrorState, SegmentedControl, SkeletonRows, Table } from '@/ui';
import { ProductList } from './product-list';
import css from './recommend.module.css';

/** What a customer tends to buy, and what to show him next. */
export function CustomerRecommendPanel({ record, onOpenRef }: { record: RecordData; onOpenRef: (ref: Ref) => void }) {
  return (
    <div className={css.panel}>
      <Lists customer={record.id} onOpen={onOpenRef} />
      <Habits customer={record.id} onOpen={onOpenRef} />
    </div>
  );
}

interface Props {
  customer: string;
  onOpen: (ref: Ref) => void;
}

function Lists({ customer, onOpen }: Props) {
  const { t } = useTranslation('recommend');
  const [kind, setKind] = useState<RecommendKind>('personal');
  const answer = useQuery(recommendationsQuery(customer, kind));
  const data = answer.data;
  return (
    <section className={css.section} aria-label={t('recommend:list.title')}>
      <div className={css.head}>
        <h2 className={css.heading}>{t('recommend:list.title')}</h2>
        <SegmentedControl<RecommendKind>
          label={t('recommend:list.kind')}
          value={kind}
          onChange={setKind}
          options={RECOMMEND_KINDS.map((value) => ({ value, label: t(`recommend:kind.${value}`) }))}
        />
      </div>
      {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={5} />}
      {data !== undefined && <ProductList data={data} label={t(`recommend:kind.${kind}`)} onOpen={onOpen} />}
      {data !== undefined && data.items.length > 0 && (
        <p className={css.note}>{t(data.cold ? 'recommend:list.cold' : `recommend:means.${kind}`)}</p>
      )}
    </section>
  );
}

function Habits({ customer, onOpen }: Props) {
  const { t } = useTranslation('recommend');
  const answer = useQuery(habitsQuery(customer));
  const data = answer.data;
  if (answer.isError) return <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />;
  if (data === undefined) return <SkeletonRows rows={6} />;
  if (data.purchases === 0 && data.products.length === 0)
    return <EmptyState compact cause="none" title={t('recommend:habit.none')} text={t('recommend:habit.noneText')} />;
  return (
    <>
      <section className={css.section} aria-label={t('recommend:habit.title')}>
        <h2 className={css.heading}>{t('recommend:habit.title')}</h2>
        <Facts data={data} />
      </section>
      <Due data={data} onOpen={onOpen} />
      <Bought data={data} onOpen={onOpen} />
      <Times data={data} />
    </>
  );
}

function Facts({ data }: { data: BuyingHabits }) {
  const { t } = useTranslation('recommend');
  const fmt = useFormat();
  const label = useLabel();
  const styles = findField(useObject('product'), 'style')?.options ?? [];
  const styleName = (key: string) => label(styles.find((option) => option.key === key)?.label, key);
  const brand = data.brands[0];
  const style = data.styles[0];
  const category = data.categories[0];
  const facts = [
    category && {
      key: 'category',
      value: category.category,
      note: t('recommend:habit.categoryNote', { days: category.days }),
    },
    brand && { key: 'brand', value: brand.key, note: t('recommend:habit.share', { share: fmt.percent(brand.share) }) },
    style && {
      key: 'style',
      value: styleName(style.key),
      note: t('recommend:habit.share', { share: fmt.percent(style.share) }),
    },
    data.price && {
      key: 'price',
      value: `${fmt.money(data.price.low)} \u2013 ${fmt.money(data.price.high)}`,
      note:
        data.price.band === ''
          ? t('recommend:habit.median', { price: fmt.money(data.price.median) })
          : t(`recommend:habit.band.${data.price.band}`, { price: fmt.money(data.price.median) }),
    },
    data.weekday !== null && {
      key: 'weekday',
      value: t(`recommend:weekday.${data.weekday}`),
      note: t('recommend:habit.certain'),
    },
    data.daypart !== null && {
      key: 'daypart',
      value: t(`recommend:daypart.${data.daypart}`),
      note: t('recommend:habit.certain'),
    },
  ].filter((fact) => !!fact);
  return (
    <dl className={css.facts}>
      {facts.map((fact) => (
        <div key={fact.key}>
          <dt>{t(`recommend:habit.${fact.key}`)}</dt>
          <dd className={css.value}>{fact.value}</dd>
          <dd className={css.note}>{fact.note}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What is expected to be bought again, the first one first. */
function Due({ data, onOpen }: { data: BuyingHabits; onOpen: (ref: Ref) => void }) {
  const { t } = useTranslation('recommend');
  const fmt = useFormat();
  const rows = [...data.products, ...data.categories]
    .filter((item) => item.due !== null)
    .sort((left, right) => (left.due?.on ?? '').localeCompare(right.due?.on ?? ''));
  const when = (due: BoughtProduct['due']) => {
    if (due === null) return '';
    const days = due.in === 0 ? t('recommend:due.today') : t('recommend:due.in', { count: due.in });
    return due.late === 0 ? days : `${days} \u00b7 ${t('recommend:due.late', { count: due.late })}`;
  };
  return (
    <section className={css.section} aria-label={t('recommend:due.title')}>
      <h2 className={css.heading}>{t('recommend:due.title')}</h2>
      {rows.length === 0 ? (
        <p className={css.note}>{t(data.version === 0 ? 'recommend:list.untaughtText' : 'recommend:due.none')}</p>
      ) : (
        <Table
          label={t('recommend:due.title')}
          rows={rows.slice(0, 10)}
          rowKey={(item) => item.product?.id ?? `category ${item.category}`}
          columns={[
            { key: 'what', label: t('recommend:bought.what'), cell: (item) => <Name item={item} onOpen={onOpen} /> },
            { key: 'on', label: t('recommend:due.on'), cell: (item) => fmt.date(item.due?.on) },
            { key: 'in', label: t('recommend:due.when'), cell: (item) => when(item.due) },
            {
              key: 'span',
              label: t('recommend:due.span'),
              minor: true,
              cell: (item) => `${fmt.date(item.due?.from)} \u2013 ${fmt.date(item.due?.to)}`,
            },
            {
              key: 'gaps',
              label: t('recommend:due.gaps'),
              align: 'right',
              minor: true,
              cell: (item) => fmt.number(item.due?.gaps),
            },
          ]}
        />
      )}
      <p className={css.note}>{t('recommend:due.means')}</p>
    </section>
  );
}

function Name({ item, onOpen }: { item: BoughtProduct; onOpen: (ref: Ref) => void }) {
  const { t } = useTranslation('recommend');
  const product = item.product;
  if (product === undefined) return <>{t('recommend:bought.category', { name: item.category })}</>;
  return (
    <button type="button" className={css.title} onClick={() => onOpen(product)}>
      {product.title}
    </button>
  );
}

const STANDINGS = ['regular', 'lapsed', 'occasional'] as const;
const SHOWN = 12;

/** Regular, lapsed and occasional products, or categories by the same definition. */
function Bought({ data, onOpen }: { data: BuyingHabits; onOpen: (ref: Ref) => void }) {
  const { t } = useTranslation('recommend');
  const fmt = useFormat();
  const [by, setBy] = useState<'products' | 'categories'>('products');
  const all = data[by];
  const rows = STANDINGS.flatMap((standing) => all.filter((item) => item.standing === standing));
  return (
    <section className={css.section} aria-label={t('recommend:bought.title')}>
      <div className={css.head}>
        <h2 className={css.heading}>{t('recommend:bought.title')}</h2>
        <SegmentedControl<'products' | 'categories'>
          label={t('recommend:bought.by')}
          value={by}
          onChange={setBy}
          options={(['products', 'categories'] as const).map((value) => ({
            value,
            label: t(`recommend:bought.${value}`),
          }))}
        />
      </div>
      <p className={css.note}>
        {t('recommend:bought.counts', data.counts)} {t('recommend:bought.means', data.habit)}
      </p>
      {rows.length === 0 ? (
        <p className={css.note}>{t('recommend:bought.none')}</p>
      ) : (
        <Table
          label={t('recommend:bought.title')}
          rows={rows.slice(0, SHOWN)}
          rowKey={(item) => item.product?.id ?? item.category}
          columns={[
            { key: 'what', label: t('recommend:bought.what'), cell: (item) => <Name item={item} onOpen={onOpen} /> },
            {
              key: 'standing',
              label: t('recommend:bought.standing'),
              cell: (item) => t(`recommend:standing.${item.standing}`),
            },
            {
              key: 'days',
              label: t('recommend:bought.days'),
              align: 'right',
              cell: (item) => fmt.number(item.days),
            },
            {
              key: 'amount',
              label: t('recommend:bought.amount'),
              align: 'right',
              minor: true,
              cell: (item) => fmt.money(item.amount),
            },
            {
              key: 'last',
              label: t('recommend:bought.last'),
              align: 'right',
              cell: (item) => fmt.date(item.last),
            },
          ]}
        />
      )}
      {rows.length > SHOWN && (
        <p className={css.note}>{t('recommend:bought.more', { shown: SHOWN, count: rows.length })}</p>
      )}
    </section>
  );
}

function Times({ data }: { data: BuyingHabits }) {
  const { t } = useTranslation('recommend');
  const fmt = useFormat();
  const bars = (what: 'weekday' | 'daypart', counts: number[], on: number | null) => {
    const sum = counts.reduce((total, count) => total + count, 0);
    if (sum === 0) return null;
    const most = Math.max(...counts);
    return (
      <div>
        <p className={css.note}>{t(`recommend:times.${what}`)}</p>
        <ul className={css.bars} aria-label={t(`recommend:times.${what}`)}>
          {counts.map((count, at) => (
            <li key={at} data-on={at === on || undefined}>
              <span>{t(`recommend:${what}.${at}`)}</span>
              <span className={css.track} aria-hidden>
                <span style={{ width: `${(count / most) * 100}%` }} />
              </span>
              <span className={css.count}>{fmt.number(count)}</span>
            </li>
          ))}
        </ul>
      </div>
    );
  };
  return (
    <section className={css.section} aria-label={t('recommend:times.title')}>
      <h2 className={css.heading}>{t('recommend:times.title')}</h2>
      <div className={css.halves}>
        {bars('weekday', data.weekdays, data.weekday)}
        {bars('daypart', data.dayparts, data.daypart)}
      </div>
      <p className={css.note}>{t('recommend:times.means')}</p>
    </section>
  );
}
