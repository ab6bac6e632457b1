import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type ValueEarner, type ValueLedger, type ValuePart, valueProfitQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { addDays } from '@/lib/day';
import { DateRangePicker, EmptyState, ErrorState, Panel, SegmentedControl, SkeletonRows, Table } from '@/ui';
import { Stack, Toolbar } from '@/ui/figures';
import { amountOf } from './parts';
import css from './value.module.css';

const SPANS = [30, 90, 365] as const;
/** Sums stand on the ground, the others hang from what stands before them. */
const SUMS = new Set(['list', 'revenue', 'profit']);

interface Step {
  part: ValuePart;
  from: number;
  to: number;
}
function steps(parts: readonly ValuePart[]): Step[] {
  let level = 0;
  return parts.map((part) => {
    const amount = amountOf(part.amount);
    const from = SUMS.has(part.key) ? 0 : level;
    level = SUMS.has(part.key) ? amount : level + amount;
    return { part, from, to: level };
  });
}

/** From what the goods were listed at to what stayed, part by part. */
function Waterfall({ now, before }: { now: ValueLedger; before: ValueLedger }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const list = steps(now.parts);
  const high = Math.max(1, ...list.flatMap((step) => [step.from, step.to]));
  const low = Math.min(0, ...list.flatMap((step) => [step.from, step.to]));
  const at = (value: number) => ((value - low) / (high - low)) * 100;
  const was = (key: string) => before.parts.find((part) => part.key === key)?.amount ?? null;
  return (
    <ol className={css.fall} aria-label={t('value:profit.title')}>
      {list.map(({ part, from, to }) => (
        <li key={part.key} data-sum={SUMS.has(part.key) || undefined}>
          <span className={css.fallName} title={t(`value:part.${part.key}Means`)}>
            {t(`value:part.${part.key}`)}
          </span>
          <span className={css.fallTrack} aria-hidden>
            {part.amount !== null && (
              <span
                className={css.fallBar}
                data-down={to < from || undefined}
                data-sum={SUMS.has(part.key) || undefined}
                style={{
                  insetInlineStart: `${at(Math.min(from, to))}%`,
                  width: `${Math.max(0.3, at(Math.max(from, to)) - at(Math.min(from, to)))}%`,
                }}
              />
            )}
          </span>
          <span className={css.fallValue}>
            {part.amount === null ? (
              <span className={css.quiet}>{t('value:notRecorded')}</span>
            ) : (
              <>
                {fmt.money(part.amount, { compact: true })}
                {before.orders > 0 && was(part.key) !== null && (
                  <small>{t('value:before', { amount: fmt.money(was(part.key), { compact: true }) })}</small>
                )}
              </>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Earners({ label, list }: { label: string; list: readonly ValueEarner[] }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const money = (key: 'revenue' | 'discounts' | 'returns' | 'cost' | 'profit', minor: boolean) => ({
    key,
    label: t(`value:part.${key}`),
    align: 'right' as const,
    minor,
    cell: (row: ValueEarner) =>
      key === 'cost' && row.uncosted > 0 && row.uncosted === row.orders ? '\u2013' : fmt.money(row[key]),
  });
  return (
    <Panel flush title={label}>
      {list.length === 0 ? (
        <EmptyState compact cause="no_match" />
      ) : (
        <Table
          label={label}
          rows={list}
          rowKey={(row) => row.record.id}
          columns={[
            {
              key: 'name',
              label: t('value:customer'),
              cell: (row) => (
                <Link className="truncate" to="/o/$object/$id" params={{ object: 'customer', id: row.record.id }}>
                  {row.record.title || row.record.id}
                </Link>
              ),
            },
            {
              key: 'orders',
              label: t('value:orders'),
              align: 'right',
              minor: true,
              cell: (row) => fmt.number(row.orders),
            },
            money('revenue', false),
            money('discounts', true),
            money('returns', true),
            money('cost', true),
            money('profit', false),
          ]}
        />
      )}
    </Panel>
  );
}

/** Where the money of a span went, and whom it came from. */
export function Profit({ anchor }: { anchor: string }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const [span, setSpan] = useState({ from: addDays(anchor, -364), to: anchor, days: '365' });
  const { data, error, refetch, isPlaceholderData } = useQuery(valueProfitQuery(span.from, span.to));
  const bar = (
    <Toolbar>
      <SegmentedControl
        label={t('value:span')}
        value={span.days}
        onChange={(days) =>
          setSpan(days === 'own' ? { ...span, days } : { from: addDays(anchor, 1 - Number(days)), to: anchor, days })
        }
        options={[
          ...SPANS.map((days) => ({ value: String(days), label: t(`value:spans.${days}`) })),
          { value: 'own', label: t('value:spans.own') },
        ]}
      />
      {span.days === 'own' && (
        <DateRangePicker
          aria-label={t('value:span')}
          value={[span.from, span.to]}
          onChange={([from, to]) => from !== null && to !== null && setSpan({ from, to, days: 'own' })}
        />
      )}
    </Toolbar>
  );
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  return (
    <Stack dim={isPlaceholderData}>
      {bar}
      {error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data.now.customers === 0 ? (
        <EmptyState cause="no_match" title={t('value:profit.none')} text="" />
      ) : (
        <>
          <Panel
            title={t('value:profit.title')}
            aside={t('value:profit.of', {
              customers: fmt.number(data.now.customers),
              orders: fmt.number(data.now.orders),
            })}
          >
            <Waterfall now={data.now} before={data.before} />
            {data.now.uncosted > 0 && (
              <p className={css.means}>
                {t('value:profit.uncosted', {
                  purchases: fmt.number(data.now.uncosted),
                  amount: fmt.money(data.now.uncosted_revenue, { compact: true }),
                })}
              </p>
            )}
            <p className={css.means}>{t('value:profit.means')}</p>
          </Panel>
          <Earners label={t('value:profit.best')} list={data.best} />
          <Earners label={t('value:profit.worst')} list={data.worst} />
        </>
      )}
    </Stack>
  );
}
