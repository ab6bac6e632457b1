import { Link } from '@tanstack/react-router';
import type { Home } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { EmptyState, Panel, Tooltip } from '@/ui';
import { HeatLegend, heatCell, heatLevel } from '@/ui/chart';
import css from './home.module.css';
import { ListLink } from './list-link';

const SCORES = [1, 2, 3, 4, 5];

/** Recency across, frequency up; the colour is how many, the rest is told on hover and focus. */
export function RfmGrid({ home }: { home: Home }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const cells = new Map(home.rfm.cells.map((cell) => [`${cell.r}${cell.f}`, cell]));
  const most = Math.max(0, ...home.rfm.cells.map((cell) => cell.count));
  const total = Math.max(
    1,
    home.rfm.cells.reduce((sum, cell) => sum + cell.count, 0),
  );
  const cell = (r: number, f: number) => {
    const found = cells.get(`${r}${f}`);
    const count = found?.count ?? 0;
    const heat = heatCell(heatLevel(count, most));
    if (found === undefined || count === 0)
      return (
        <span {...heat} className={cx(heat.className, css.heat)}>
          0
        </span>
      );
    const text = t('home:rfmCell', {
      r,
      f,
      count,
      shown: fmt.number(count),
      share: fmt.percent(count / total, 1),
      spend: fmt.money(found.spend, { compact: true }),
    });
    return (
      <Tooltip label={text} repeats>
        <ListLink where={found.where} aria-label={text} {...heat} className={cx(heat.className, css.heat)}>
          {fmt.number(count)}
        </ListLink>
      </Tooltip>
    );
  };
  return (
    <Panel
      title={t('home:rfm')}
      aside={
        <Link to="/settings/rfm" className={css.asideLink}>
          {t('home:rfmCuts')}
        </Link>
      }
    >
      {most === 0 ? (
        <EmptyState compact cause="no_match" title={t('home:noRfm')} text={t('home:noRfmText')} />
      ) : (
        <>
          <table className={css.rfm} aria-label={t('home:rfmLabel')}>
            <tbody>
              {SCORES.toReversed().map((f) => (
                <tr key={f}>
                  <th scope="row">
                    F{f}
                    {f === 5 && <span className={css.axis}> {t('home:often')}</span>}
                    {f === 1 && <span className={css.axis}> {t('home:rarely')}</span>}
                  </th>
                  {SCORES.map((r) => (
                    <td key={r}>{cell(r, f)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <td />
                {SCORES.map((r) => (
                  <th key={r} scope="col">
                    R{r}
                    {r === 1 && <span className={css.axis}> {t('home:longAgo')}</span>}
                    {r === 5 && <span className={css.axis}> {t('home:recent')}</span>}
                  </th>
                ))}
              </tr>
            </tfoot>
          </table>
          <div className={css.heatFoot}>
            <HeatLegend low="0" high={t('home:people', { count: most, shown: fmt.number(most) })} />
          </div>
        </>
      )}
    </Panel>
  );
}
