import type { LifecycleCohort, LifecycleReport } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { EmptyState, Panel, SegmentedControl, Tooltip } from '@/ui';
import { heatCell, heatLevel } from '@/ui/chart';
import css from './lifecycle.module.css';
import type { Who } from './people';

interface Props {
  report: LifecycleReport;
  go: (change: { by: string }) => void;
  open: (who: Who) => void;
}

/** Conversion of those who became known in a month, or by a source. */
export function Cohorts({ report, go, open }: Props) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  const growing = report.stages.filter((stage) => stage.phase === 'growing').slice(1);
  const name = (cohort: LifecycleCohort) => {
    if (report.by === 'month') return fmt.month(cohort.group);
    return cohort.group === '' ? t('lifecycle:noSource') : label(cohort.label, cohort.group);
  };
  const shareOf = (cohort: LifecycleCohort, key: string) =>
    cohort.size === 0 ? 0 : (cohort.reached[key] ?? 0) / cohort.size;
  const most = Math.max(0.0001, ...report.cohorts.flatMap((one) => growing.map((stage) => shareOf(one, stage.key))));
  const behind = (cohort: LifecycleCohort, stage?: string) => ({
    figure: stage === undefined ? ('group' as const) : ('reached' as const),
    by: report.by,
    group: cohort.group,
    within: report.within,
    ...(stage !== undefined && { class: stage }),
  });
  return (
    <Panel
      flush
      title={
        <Tooltip label={t('lifecycle:means.cohorts')}>
          <span>{t('lifecycle:cohorts', { count: report.within })}</span>
        </Tooltip>
      }
      aside={
        <SegmentedControl
          label={t('lifecycle:groupedBy')}
          value={report.by}
          onChange={(by) => go({ by })}
          options={[
            { value: 'month', label: t('lifecycle:by.month') },
            { value: 'source', label: t('lifecycle:by.source') },
          ]}
        />
      }
    >
      {report.cohorts.length === 0 && (
        <EmptyState compact cause="no_match" title={t('lifecycle:noCohorts')} text={t('lifecycle:noCohortsText')} />
      )}
      {report.cohorts.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard
        <section className={css.scroll} aria-label={t('lifecycle:cohorts', { count: report.within })} tabIndex={0}>
          <table className={css.matrix}>
            <thead>
              <tr>
                <th scope="col">{t(`lifecycle:by.${report.by}`)}</th>
                <th scope="col" className={css.size}>
                  {t('lifecycle:customers')}
                </th>
                {growing.map((stage) => (
                  <th key={stage.key} scope="col">
                    {label(stage.label, stage.key)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {report.cohorts.map((cohort) => (
                <tr key={cohort.group}>
                  <th scope="row">{name(cohort)}</th>
                  <td className={css.size}>
                    <button
                      type="button"
                      className={css.link}
                      onClick={() =>
                        open({ title: t('lifecycle:cohortTitle', { group: name(cohort) }), behind: behind(cohort) })
                      }
                    >
                      {fmt.number(cohort.size + cohort.young)}
                    </button>
                  </td>
                  {growing.map((stage) => {
                    if (cohort.size === 0)
                      return (
                        <td key={stage.key} className="muted">
                          {t('lifecycle:notYet')}
                        </td>
                      );
                    const count = cohort.reached[stage.key] ?? 0;
                    const share = shareOf(cohort, stage.key);
                    const heat = heatCell(Math.min(6, heatLevel(share, most, 'even')));
                    return (
                      <td key={stage.key}>
                        <button
                          type="button"
                          className={cx(css.cell, heat.className)}
                          data-level={heat['data-level']}
                          disabled={count === 0}
                          aria-label={t('lifecycle:cohortCell', {
                            group: name(cohort),
                            stage: label(stage.label, stage.key),
                            count,
                            shown: fmt.number(count),
                            share: fmt.percent(share),
                          })}
                          onClick={() =>
                            open({
                              title: t('lifecycle:reachedTitle', {
                                group: name(cohort),
                                stage: label(stage.label, stage.key),
                              }),
                              behind: behind(cohort, stage.key),
                            })
                          }
                        >
                          {fmt.percent(share)}
                        </button>
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <p className={css.foot}>{t('lifecycle:cohortsNote', { count: report.within })}</p>
    </Panel>
  );
}
