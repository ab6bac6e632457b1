import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useFormat, useTranslation } from '@/i18n';
import { Kbd } from '@/ui';
import { exactTotalQuery, firstPageQuery } from '../grid/use-rows';
import { Jump } from './jump';
import css from './list.module.css';
import type { List } from './use-list';

const Pager = lazy(() => import('./pager').then((module) => ({ default: module.Pager })));

export interface Total {
  /** null until the first answer. */
  count: number | null;
  exact: boolean;
  counting: boolean;
  /** Counting to the end can tell more than is known. */
  countable: boolean;
}

/** How many there are: what came with the first page, or the exact figure once somebody asked for it. */
export function useTotal(list: List, exactWanted: boolean): Total {
  const first = useQuery({ ...firstPageQuery(list.object.key, list.query), enabled: list.ready });
  const page = first.data;
  const capped = page?.total_is_estimate === true;
  const exact = useQuery({
    ...exactTotalQuery(list.object.key, list.query),
    enabled: exactWanted && capped,
    staleTime: 60_000,
  });
  const counted = exact.data?.total;
  // A search looks at so many candidates and no further: then even the exact count is "at least".
  if (capped && typeof counted === 'number') {
    const whole = exact.data?.total_is_estimate !== true;
    return { count: counted, exact: whole, counting: false, countable: false };
  }
  const total = page?.total ?? (page !== undefined && page.next_cursor === null ? page.items.length : null);
  return { count: total, exact: !capped && total !== null, counting: exact.isFetching, countable: capped };
}

function lagText(seconds: number, t: (key: string, values?: { count: number }) => string): string {
  if (seconds < 1) return t('records:foot.now');
  if (seconds < 90) return t('records:foot.lag', { count: Math.round(seconds) });
  return t('records:foot.lagMinutes', { count: Math.round(seconds / 60) });
}

interface Props {
  list: List;
  total: Total;
  phone: boolean;
  /** The page on screen, null where the list scrolls. */
  page: number | null;
  onPage: (page: number) => void;
  onExact: () => void;
}

export function ListFooter({ list, total, phone, page, onPage, onExact }: Props) {
  const { t } = useTranslation('records');
  const fmt = useFormat();
  const first = useQuery({ ...firstPageQuery(list.object.key, list.query), enabled: list.ready });
  const analytics = first.data?.plane === 'analytics';
  const lag = first.data?.lag_seconds ?? 0;
  const text = total.count === null ? '' : `${fmt.number(total.count)}${total.exact ? '' : '+'}`;
  return (
    <footer className={css.foot}>
      <span aria-live="polite">{total.count !== null && t('records:foot.total', { count: total.count, text })}</span>
      {total.count !== null && !total.exact && total.countable && (
        <button type="button" className={css.footButton} disabled={total.counting} onClick={onExact}>
          {total.counting ? t('records:foot.counting') : t('records:foot.exact')}
        </button>
      )}
      {analytics && (
        <span className={css.lag} title={t('records:foot.lagHelp')}>
          {lagText(lag, t)}
        </span>
      )}
      <span className="grow" />
      <Suspense>{page !== null && <Pager page={page} total={total} onPage={onPage} />}</Suspense>
      {!list.state.deleted && <Jump list={list} />}
      {!phone && (
        <span className={css.hints} aria-hidden>
          <Kbd keys={'\u2191\u2193'} /> {t('records:foot.move')}
          <Kbd keys="enter" /> {t('records:foot.open')}
          {list.object.actions.update && (
            <>
              <Kbd keys="F2" /> {t('records:foot.edit')}
            </>
          )}
          <Kbd keys="x" /> {t('records:foot.select')}
        </span>
      )}
    </footer>
  );
}
