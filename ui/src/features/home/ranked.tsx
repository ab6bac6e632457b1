import { Link } from '@tanstack/react-router';
import type { Home } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { EmptyState, Panel } from '@/ui';
import { amountOf, channelOrders } from './figures';
import css from './home.module.css';
import { ListLink } from './list-link';

function Line({ name, note, money, share }: { name: string; note: string; money: string; share: number }) {
  return (
    <>
      <span className={css.rankText}>
        <span className="truncate">{name}</span>
        <span className={css.rankMoney}>{money}</span>
      </span>
      <span className={css.rankBar} aria-hidden>
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span className={css.rankNote}>{note}</span>
    </>
  );
}

export function TopProducts({ home }: { home: Home }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const most = Math.max(1, ...home.top_products.map((product) => amountOf(product.revenue)));
  return (
    <Panel title={t('home:topProducts')}>
      {home.top_products.length === 0 && <EmptyState compact cause="no_match" title={t('home:noSales')} text="" />}
      <ol className={css.ranks}>
        {home.top_products.map(({ record, quantity, revenue }) => (
          <li key={record.id}>
            <Link to="/o/$object/$id" params={{ object: 'product', id: record.id }} className={css.rank}>
              <Line
                name={record.title || record.id}
                note={t('home:sold', { count: Math.round(quantity), shown: fmt.number(quantity) })}
                money={fmt.money(revenue, { compact: true })}
                share={amountOf(revenue) / most}
              />
            </Link>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

export function Channels({ home }: { home: Home }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const label = useLabel();
  const most = Math.max(1, ...home.channels.map((channel) => amountOf(channel.revenue)));
  return (
    <Panel title={t('home:channels')}>
      {home.channels.length === 0 && <EmptyState compact cause="no_match" title={t('home:noChannels')} text="" />}
      <ol className={css.ranks}>
        {home.channels.map((channel) => (
          <li key={channel.key}>
            <ListLink object="order" where={channelOrders(home.links.orders, channel.key)} className={css.rank}>
              <Line
                name={label(channel.label, channel.key) || t('home:noChannel')}
                note={t('home:orderCount', { count: channel.orders, shown: fmt.number(channel.orders) })}
                money={fmt.money(channel.revenue, { compact: true })}
                share={amountOf(channel.revenue) / most}
              />
            </ListLink>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
