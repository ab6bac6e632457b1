import { useQuery } from '@tanstack/react-query';
import { type Money, type RecordData, type Ref, recordPageQuery } from '@/api';
import { isMoney, isRef } from '@/fields';
import { useFormat, useTranslation } from '@/i18n';
import { useIsPhone } from '@/lib/hooks';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './order-lines.module.css';
import { relationWhere } from './related-counts';

/** Sums decimals in hundredths of a cent, so that 0.1 + 0.2 stays 0.3. */
export function sumMoney(values: readonly unknown[]): Money | null {
  let total = 0n;
  let currency = '';
  for (const value of values) {
    if (!isMoney(value)) continue;
    const [, sign = '', whole = '0', part = ''] = /^([+-]?)(\d*)\.?(\d*)$/.exec(value.amount) ?? [];
    const units = BigInt(`${whole || '0'}${part.padEnd(4, '0').slice(0, 4)}`);
    total += sign === '-' ? -units : units;
    currency ||= value.currency;
  }
  if (currency === '') return null;
  const text = (total < 0n ? -total : total).toString().padStart(5, '0');
  return { amount: `${total < 0n ? '-' : ''}${text.slice(0, -4)}.${text.slice(-4)}`, currency };
}

const LIMIT = 200;

/** The lines of an order with their sums, and what was refunded. */
export function OrderLines({ order, onOpenRef }: { order: RecordData; onOpenRef: (ref: Ref) => void }) {
  const { t } = useTranslation('records');
  const fmt = useFormat();
  const phone = useIsPhone();
  const where = relationWhere('order', order.id);
  const lines = useQuery(
    recordPageQuery('order_line', { where, limit: LIMIT, sort: [{ field: 'position', desc: false }] }),
  );
  const refunds = useQuery({ ...recordPageQuery('refund', { where, limit: LIMIT }), retry: false });
  if (lines.isError) return <ErrorState error={lines.error} onRetry={() => lines.refetch()} compact />;
  if (lines.data === undefined) return <SkeletonRows rows={3} />;
  const items = lines.data.items;
  if (items.length === 0) return <EmptyState cause="none" title={t('records:order.none')} text="" compact />;
  const refunded = sumMoney(refunds.data?.items.map((refund) => refund.fields.amount) ?? []);
  const money = (value: unknown) => (isMoney(value) ? fmt.money(value, { fixed: true }) : '');
  // A unit price is a plain number: more digits than money has, in the currency of its line.
  const price = (value: unknown, amount: unknown) => {
    if (isMoney(value)) return money(value);
    if (typeof value !== 'number') return '';
    return isMoney(amount) ? money({ amount: String(value), currency: amount.currency }) : fmt.number(value);
  };
  const sums: [string, string, string?][] = [];
  if (isMoney(order.fields.gross_amount)) sums.push([t('records:order.gross'), money(order.fields.gross_amount)]);
  if (isMoney(order.fields.discount_amount) && Number(order.fields.discount_amount.amount) !== 0)
    sums.push([t('records:order.discount'), `\u2212${money(order.fields.discount_amount)}`]);
  const net = order.fields.net_amount ?? sumMoney(items.map((line) => line.fields.amount));
  sums.push([t('records:order.net'), money(net), css.net]);
  if (refunded !== null) sums.push([t('records:order.refunded'), `\u2212${money(refunded)}`, css.refunded]);
  return (
    <section className={css.frame} aria-label={t('records:order.lines')}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t('records:order.product')}</th>
            <th scope="col">{t('records:order.price')}</th>
            <th scope="col">{t('records:order.quantity')}</th>
            {!phone && <th scope="col">{t('records:order.discount')}</th>}
            <th scope="col">{t('records:order.amount')}</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ id, title, fields }) => {
            const { product } = fields;
            return (
              <tr key={id}>
                <td>
                  {isRef(product) ? (
                    <button type="button" className={css.product} onClick={() => onOpenRef(product)}>
                      {title || product.title}
                    </button>
                  ) : (
                    <span className={css.name}>{title}</span>
                  )}
                  {typeof fields.sku === 'string' && <span className={css.sku}>{fields.sku}</span>}
                </td>
                <td>{price(fields.unit_price, fields.amount)}</td>
                <td>{fmt.number(Number(fields.quantity ?? 0))}</td>
                {!phone && (
                  <td>
                    {isMoney(fields.discount_amount) && Number(fields.discount_amount.amount) !== 0
                      ? `\u2212${money(fields.discount_amount)}`
                      : ''}
                  </td>
                )}
                <td>{money(fields.amount)}</td>
              </tr>
            );
          })}
        </tbody>
        <tfoot>
          {sums.map(([label, value, className]) => (
            <tr key={label} className={className}>
              <th scope="row" colSpan={phone ? 3 : 4}>
                {label}
              </th>
              <td>{value}</td>
            </tr>
          ))}
        </tfoot>
      </table>
    </section>
  );
}
