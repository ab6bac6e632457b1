import { IconArrowDownRight, IconArrowUpRight, IconMinus } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Home, HomeDays } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { amountOf, changeOf, repeatBuyers } from './figures';
import css from './home.module.css';
import { ListLink } from './list-link';

const signOf = (change: number) => {
  if (change > 0) return <IconArrowUpRight size={15} aria-hidden />;
  return change < 0 ? <IconArrowDownRight size={15} aria-hidden /> : <IconMinus size={15} aria-hidden />;
};
const toneOf = (change: number): string => {
  if (change > 0) return 'up';
  return change < 0 ? 'down' : 'same';
};

function Change({ change, text, days }: { change: number | null; text: string; days: HomeDays }) {
  const { t } = useTranslation('home');
  if (change === null) return <span className={css.change}>{t('home:noBefore')}</span>;
  return (
    <span className={css.change}>
      <span className={css.tone} data-tone={toneOf(change)}>
        {signOf(change)}
        <span className="sr-only">{t(`home:tone.${toneOf(change)}`)}</span>
        {text}
      </span>
      {t('home:versus', { count: days })}
    </span>
  );
}

interface CardProps {
  label: string;
  value: ReactNode;
  change: ReactNode;
  children: ReactNode;
}
function Card({ label, value, change, children }: CardProps) {
  return (
    <section className={css.kpi} aria-label={label}>
      <h2 className={css.kpiLabel}>{label}</h2>
      <div className={css.kpiValue}>{value}</div>
      {change}
      <div className={css.kpiNote}>{children}</div>
    </section>
  );
}

export function Kpis({ home, days }: { home: Home; days: HomeDays }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const { customers, revenue, orders, average_basket: basket, repurchase_rate: repurchase, links } = home;
  const share = (change: number | null) => (change === null ? '' : fmt.percent(Math.abs(change)));
  const newChange = changeOf(customers.new, customers.new_previous);
  const grossChange = changeOf(amountOf(revenue.gross), amountOf(revenue.gross_previous));
  const orderChange = changeOf(orders.count, orders.previous);
  const points =
    repurchase.value === null || repurchase.previous === null || orderChange === null
      ? null
      : (repurchase.value - repurchase.previous) * 100;
  const repeat = repeatBuyers(links.orders);
  const rate = repurchase.value === null ? '\u2013' : fmt.percent(repurchase.value);
  return (
    <div className={css.kpis}>
      <Card
        label={t('home:kpi.newBuyers')}
        value={
          <ListLink object={links.new_customers.object} where={links.new_customers.where} className={css.figure}>
            {fmt.number(customers.new)}
          </ListLink>
        }
        change={<Change change={newChange} text={share(newChange)} days={days} />}
      >
        <ListLink where={null} className={css.quiet}>
          {t('home:kpi.customers', { count: customers.total, shown: fmt.number(customers.total) })}
        </ListLink>
        <ListLink where={{ trait: 'orders', op: '>=', value: 1 }} className={css.quiet}>
          {t('home:kpi.withPurchase', { count: customers.with_purchase, shown: fmt.number(customers.with_purchase) })}
        </ListLink>
      </Card>
      <Card
        label={t('home:kpi.revenue')}
        value={
          <ListLink
            object={links.orders.object}
            where={links.orders.where}
            className={css.figure}
            title={fmt.money(revenue.gross)}
          >
            {fmt.money({ ...revenue.gross, amount: String(Math.round(amountOf(revenue.gross))) })}
          </ListLink>
        }
        change={<Change change={grossChange} text={share(grossChange)} days={days} />}
      >
        <span>{t('home:kpi.net', { amount: fmt.money(revenue.net, { compact: true }) })}</span>
        <ListLink object={links.refunds.object} where={links.refunds.where} className={css.quiet}>
          {t('home:kpi.refunds', { amount: fmt.money(revenue.refunds, { compact: true }) })}
        </ListLink>
      </Card>
      <Card
        label={t('home:kpi.orders')}
        value={
          <ListLink object={links.orders.object} where={links.orders.where} className={css.figure}>
            {fmt.number(orders.count)}
          </ListLink>
        }
        change={<Change change={orderChange} text={share(orderChange)} days={days} />}
      >
        <span>{t('home:kpi.basket', { amount: orders.count === 0 ? '\u2013' : fmt.money(basket.value) })}</span>
      </Card>
      <Card
        label={t('home:kpi.repurchase')}
        value={
          repeat === null ? (
            rate
          ) : (
            <ListLink where={repeat} className={css.figure}>
              {rate}
            </ListLink>
          )
        }
        change={
          <Change
            change={points === null ? null : Math.round(points * 10)}
            text={points === null ? '' : t('home:points', { points: fmt.number(Math.abs(points), 1) })}
            days={days}
          />
        }
      >
        <span>{t('home:kpi.repurchaseHelp')}</span>
      </Card>
    </div>
  );
}
