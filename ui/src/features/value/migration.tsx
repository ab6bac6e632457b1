import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type ValueMoves, valueMoversQuery, valueMovesQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { addDays } from '@/lib/day';
import { Drawer, EmptyState, ErrorState, Panel, SegmentedControl, SkeletonRows } from '@/ui';
import { Stack, Toolbar } from '@/ui/figures';
import css from './value.module.css';

const BACK = [30, 90, 180, 365] as const;
interface Cell {
  was: string;
  now: string;
  count: number;
  name: string;
}

function People({ moves, cell }: { moves: ValueMoves; cell: Cell }) {
  const { t } = useTranslation('value');
  const { data, error, refetch } = useQuery(valueMoversQuery(moves.from, moves.to, cell.was, cell.now));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  if (data.customers.length === 0) return <EmptyState compact cause="no_permission" />;
  return (
    <>
      <ul className={css.people}>
        {data.customers.map((customer) => (
          <li key={customer.id}>
            <Link to="/o/$object/$id" params={{ object: 'customer', id: customer.id }}>
              {customer.title || customer.id}
            </Link>
          </li>
        ))}
      </ul>
      {cell.count > data.customers.length && (
        <p className={css.means}>{t('value:moves.first', { shown: data.customers.length, count: cell.count })}</p>
      )}
    </>
  );
}

function Matrix({ moves, onPick }: { moves: ValueMoves; onPick: (cell: Cell) => void }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const label = useLabel();
  const name = (key: string) => {
    const group = moves.groups.find((one) => one.key === key);
    return group === undefined ? t('value:moves.new') : label(group.label);
  };
  const rows = [...moves.groups.map((group) => group.key), ''];
  const count = (was: string, now: string) =>
    moves.moves.find((move) => move.was === was && move.now === now)?.customers ?? 0;
  const of = (was: string) => moves.groups.reduce((sum, group) => sum + count(was, group.key), 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard
    <section className={css.scroll} aria-label={t('value:moves.title')} tabIndex={0}>
      <table className={css.matrix}>
        <thead>
          <tr>
            <th scope="col">{t('value:moves.corner')}</th>
            {moves.groups.map((group) => (
              <th key={group.key} scope="col">
                {label(group.label)}
              </th>
            ))}
            <th scope="col">{t('value:moves.all')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((was) => (
            <tr key={was}>
              <th scope="row">{name(was)}</th>
              {moves.groups.map((group) => {
                const customers = count(was, group.key);
                const share = customers / Math.max(1, of(was));
                const told = t('value:moves.cell', { was: name(was), now: name(group.key), total: customers });
                return (
                  <td key={group.key} data-same={was === group.key || undefined}>
                    {customers > 0 && (
                      <button
                        type="button"
                        aria-label={told}
                        title={`${told} ${fmt.percent(share)}`}
                        style={{ backgroundColor: `color-mix(in srgb, var(--accent) ${share * 45}%, transparent)` }}
                        onClick={() => onPick({ was, now: group.key, count: customers, name: told })}
                      >
                        {fmt.number(customers)}
                      </button>
                    )}
                  </td>
                );
              })}
              <td className={css.sum}>{fmt.number(of(was))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Where customers stood in RFM, against where they stand. */
export function Migration({ anchor }: { anchor: string }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const [back, setBack] = useState<string>('90');
  const [cell, setCell] = useState<Cell | null>(null);
  const { data, error, refetch, isPlaceholderData } = useQuery(valueMovesQuery(addDays(anchor, -Number(back)), anchor));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  return (
    <Stack dim={isPlaceholderData}>
      <Toolbar>
        <SegmentedControl
          label={t('value:moves.since')}
          value={back}
          onChange={setBack}
          options={BACK.map((days) => ({ value: String(days), label: t(`value:moves.back.${days}`) }))}
        />
      </Toolbar>
      {error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
      <Panel
        flush
        title={t('value:moves.title')}
        aside={t('value:moves.days', { from: fmt.date(data.from), to: fmt.date(data.to) })}
      >
        {data.moves.length === 0 ? (
          <EmptyState compact cause="no_match" title={t('value:profit.none')} text="" />
        ) : (
          <Matrix moves={data} onPick={setCell} />
        )}
        <p className={css.foot}>{t('value:moves.means')}</p>
      </Panel>
      <Drawer opened={cell !== null} onClose={() => setCell(null)} title={cell?.name ?? ''}>
        {cell !== null && <People moves={data} cell={cell} />}
      </Drawer>
    </Stack>
  );
}
