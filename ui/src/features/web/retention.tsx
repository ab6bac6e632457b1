import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type WebCohort, type WebRetention, webRetentionQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { saveCsv } from '@/lib/csv';
import { cx } from '@/lib/cx';
import { EmptyState, ErrorState, IconButton, Panel, SegmentedControl, Skeleton } from '@/ui';
import { AreaChart, HeatLegend, heatCell, heatLevel } from '@/ui/chart';
import { Stack, Toolbar } from '@/ui/figures';
import { useNames } from './funnel-form';
import { NameSelect } from './name-select';
import { useWeb } from './search';
import css from './web.module.css';
import { useNumbers } from './words';

const PERIODS = ['day', 'week', 'month'] as const;
const clean = (raw: WebRetention | undefined): WebRetention => ({
  start: typeof raw?.start === 'string' && raw.start !== '' ? raw.start : 'visit',
  return: typeof raw?.return === 'string' && raw.return !== '' ? raw.return : 'visit',
  period: PERIODS.find((one) => one === raw?.period) ?? 'week',
});

/** Of all cohorts that are old enough: who came back so many periods later. Periods that are not over would bend it. */
function curve(cohorts: readonly WebCohort[]): { share: number; size: number }[] {
  const length = Math.max(1, ...cohorts.map((cohort) => cohort.active.length - 1));
  return Array.from({ length }, (_, at) => {
    const old = cohorts.filter((cohort) => cohort.active.length - 1 > at || at === 0);
    const size = old.reduce((sum, cohort) => sum + cohort.size, 0);
    const back = old.reduce((sum, cohort) => sum + (cohort.active[at] ?? 0), 0);
    return { share: size === 0 ? 0 : back / size, size };
  });
}

function HeatTable({ cohorts, retention }: { cohorts: readonly WebCohort[]; retention: WebRetention }) {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  const { number, share } = useNumbers();
  const { go } = useWeb();
  const length = Math.max(0, ...cohorts.map((cohort) => cohort.active.length));
  const rates = cohorts.flatMap((cohort) => cohort.active.slice(1).map((count) => count / Math.max(1, cohort.size)));
  const most = Math.max(0.0001, ...rates);
  const nameOf = (cohort: WebCohort) =>
    retention.period === 'month' ? fmt.month(cohort.from.slice(0, 7)) : fmt.date(cohort.from);
  const open = (cohort: WebCohort, period: number) =>
    go({ who: { behind: { figure: 'cohort', retention, cohort: cohort.from, period } } }, true);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard */}
      <section className={css.scroll} aria-label={t('web:tab.retention')} tabIndex={0}>
        <table className={css.heat}>
          <thead>
            <tr>
              <th scope="col">{t(`web:cohort.${retention.period}`)}</th>
              <th scope="col">{t('web:cohortSize')}</th>
              {Array.from({ length }, (_, at) => (
                <th key={at} scope="col">
                  {t(`web:after.${retention.period}`, { number: at })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cohorts.map((cohort) => (
              <tr key={cohort.from}>
                <th scope="row">{nameOf(cohort)}</th>
                <td>
                  <button type="button" className={css.figure} onClick={() => open(cohort, -1)}>
                    {number(cohort.size)}
                  </button>
                </td>
                {cohort.active.map((count, at) => {
                  const heat = heatCell(at === 0 ? 0 : Math.min(6, heatLevel(count / cohort.size, most, 'even')));
                  const text = t('web:cohortCell', {
                    cohort: nameOf(cohort),
                    shown: number(count),
                    share: share(count, cohort.size),
                  });
                  return (
                    <td key={at}>
                      <button
                        type="button"
                        {...heat}
                        className={cx(heat.className, css.heatCell)}
                        title={text}
                        aria-label={text}
                        disabled={count === 0}
                        onClick={() => open(cohort, at)}
                      >
                        {share(count, cohort.size, 0)}
                        {at === cohort.active.length - 1 && '*'}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Toolbar>
        <span className="muted grow">{t('web:partial')}</span>
        <HeatLegend low="0%" high={fmt.percent(most, 0)} />
      </Toolbar>
    </>
  );
}

function Result({ retention }: { retention: WebRetention }) {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  const { number } = useNumbers();
  const { ask } = useWeb();
  const { data, error, refetch, isPlaceholderData } = useQuery(webRetentionQuery(ask, retention));
  if (data === undefined)
    return error === null ? <Skeleton height={260} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  const cohorts = data.items;
  const points = curve(cohorts);
  const most = Math.max(0, ...cohorts.map((cohort) => cohort.active.length));
  if (cohorts.length === 0)
    return (
      <Panel>
        <EmptyState compact cause="no_match" title={t('web:nothing')} text={t('web:nobodyBegan')} />
      </Panel>
    );
  return (
    <Stack dim={isPlaceholderData}>
      <Panel title={t('web:curve')}>
        <AreaChart
          label={t('web:curve')}
          height={180}
          format={(value) => fmt.percent(value, 1)}
          formatAxis={(value) => fmt.percent(value, 0)}
          points={points.map((point, at) => ({
            key: String(at),
            short: t(`web:after.${retention.period}`, { number: at }),
            title: t(`web:after.${retention.period}`, { number: at }),
            value: point.share,
            notes: [t('web:ofCohorts', { shown: number(point.size) })],
          }))}
        />
      </Panel>
      <Panel
        title={t('web:cohorts')}
        aside={
          <IconButton
            label={t('web:csv')}
            icon={<IconDownload size={16} />}
            onClick={() =>
              saveCsv(
                `retention-${ask.from}-${ask.to}`,
                [
                  t(`web:cohort.${retention.period}`),
                  t('web:cohortSize'),
                  ...Array.from({ length: most }, (_, at) => t(`web:after.${retention.period}`, { number: at })),
                ],
                cohorts.map((cohort) => [cohort.from, cohort.size, ...cohort.active]),
              )
            }
          />
        }
      >
        <HeatTable cohorts={cohorts} retention={retention} />
        <p className="muted">{t('web:means.retention')}</p>
      </Panel>
    </Stack>
  );
}

/** Who comes back, and after how long. */
export function Retention() {
  const { t } = useTranslation('web');
  const { search, go } = useWeb();
  const names = useNames();
  const retention = clean(search.back);
  const set = (change: Partial<WebRetention>) => go({ back: { ...retention, ...change } });
  const own = (first: boolean) =>
    (['visit', 'purchase'] as const).map((value) => ({
      value: value as string,
      label: first ? t(`web:first.${value}`) : t(`web:again.${value}`),
    }));
  return (
    <>
      <div className={css.form}>
        <NameSelect
          label={t('web:begins')}
          value={retention.start}
          own={own(true)}
          names={names.events}
          onChange={(start) => set({ start })}
        />
        <NameSelect
          label={t('web:returns')}
          value={retention.return}
          own={own(false)}
          names={names.events}
          onChange={(next) => set({ return: next })}
        />
        <SegmentedControl
          label={t('web:period')}
          value={retention.period}
          onChange={(period) => set({ period })}
          options={PERIODS.map((value) => ({ value, label: t(`web:periods.${value}`) }))}
        />
      </div>
      <Result retention={retention} />
    </>
  );
}
