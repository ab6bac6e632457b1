import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { cohortsQuery, type Home } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Button, EmptyState, ErrorState, Panel, Skeleton } from '@/ui';
import { HeatLegend, heatCell, heatLevel } from '@/ui/chart';
import { addMonths, cohortMembers, isPartial } from './figures';
import css from './home.module.css';
import { ListLink } from './list-link';

const FEW = 13;

/** Of those who first bought in a month, how many bought again so many months later. */
export function Cohorts({ home }: { home: Home }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const [all, setAll] = useState(false);
  const { data, error, isPending, refetch } = useQuery(cohortsQuery());
  const cohorts = (data?.cohorts ?? []).filter((cohort) => cohort.size > 0);
  const rows = all ? cohorts : cohorts.slice(-FEW);
  const later = Math.max(0, ...rows.map((cohort) => cohort.active.length - 1));
  const most = Math.max(
    0.0001,
    ...rows.flatMap((cohort) => cohort.active.slice(1).map((count) => count / cohort.size)),
  );
  const levelOf = (share: number, at: number) => (at === 0 ? 7 : Math.min(6, heatLevel(share, most, 'even')));
  return (
    <Panel
      flush
      title={t('home:cohorts')}
      aside={
        <>
          <span className={css.wideOnly}>{t('home:cohortsHelp')}</span>
          {cohorts.length > FEW && (
            <Button kind="subtle" onClick={() => setAll(!all)}>
              {all ? t('home:fewMonths') : t('home:allMonths', { count: cohorts.length })}
            </Button>
          )}
        </>
      }
    >
      {isPending && (
        <div className={css.inset}>
          <Skeleton height={240} />
        </div>
      )}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && rows.length === 0 && (
        <EmptyState compact cause="no_match" title={t('home:noCohorts')} text={t('home:noCohortsText')} />
      )}
      {rows.length > 0 && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard */}
          <section className={css.cohortScroll} aria-label={t('home:cohorts')} tabIndex={0}>
            <table className={css.cohorts}>
              <thead>
                <tr>
                  <th scope="col" className={css.cohortMonth}>
                    {t('home:firstMonth')}
                  </th>
                  <th scope="col" className={css.cohortSize}>
                    {t('home:cohortSize')}
                  </th>
                  {Array.from({ length: later + 1 }, (_, at) => (
                    <th key={at} scope="col">
                      {t('home:monthNumber', { number: at })}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((cohort) => (
                  <tr key={cohort.month}>
                    <th scope="row" className={css.cohortMonth}>
                      {fmt.month(cohort.month)}
                    </th>
                    <td className={css.cohortSize}>{fmt.number(cohort.size)}</td>
                    {cohort.active.map((count, at) => {
                      const share = count / cohort.size;
                      const heat = heatCell(levelOf(share, at));
                      const partial = isPartial(addMonths(cohort.month, at), home.anchor);
                      const text = t('home:cohortCell', {
                        month: fmt.month(addMonths(cohort.month, at)),
                        count,
                        shown: fmt.number(count),
                        share: fmt.percent(share, 1),
                      });
                      return (
                        <td key={at}>
                          <ListLink
                            where={cohortMembers(cohort.month, at, home.links.orders)}
                            {...heat}
                            className={cx(heat.className, css.cohortCell, partial && css.partial)}
                            title={partial ? `${text} \u00b7 ${t('home:partial')}` : text}
                            aria-label={partial ? `${text}, ${t('home:partial')}` : text}
                          >
                            {fmt.percent(share, 0)}
                            {partial && '*'}
                          </ListLink>
                        </td>
                      );
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <div className={cx(css.heatFoot, css.inset)}>
            <span>{t('home:partialNote')}</span>
            <HeatLegend low="0%" high={fmt.percent(most, 0)} />
          </div>
        </>
      )}
    </Panel>
  );
}
