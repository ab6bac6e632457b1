import type { LifecycleReport } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Panel, Tooltip } from '@/ui';
import { heatCell, heatLevel } from '@/ui/chart';
import css from './lifecycle.module.css';
import type { Who } from './people';

/** From which stage to which, between the two ends of the span; each figure opens its people. */
export function Matrix({ report, open }: { report: LifecycleReport; open: (who: Who) => void }) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  const rows = [{ key: '', name: t('lifecycle:newcomers') }].concat(
    report.stages.map((stage) => ({ key: stage.key, name: label(stage.label, stage.key) })),
  );
  const flow = (from: string, to: string) => report.flows.find((one) => one.from === from && one.to === to)?.count ?? 0;
  const moved = report.flows.filter((one) => one.from !== one.to);
  const most = Math.max(1, ...moved.map((one) => one.count));
  return (
    <Panel
      flush
      title={
        <Tooltip label={t('lifecycle:means.matrix')}>
          <span>{t('lifecycle:matrix')}</span>
        </Tooltip>
      }
      aside={<span>{t('lifecycle:between', { from: fmt.date(report.from), to: fmt.date(report.to) })}</span>}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard */}
      <section className={css.scroll} aria-label={t('lifecycle:matrix')} tabIndex={0}>
        <table className={css.matrix}>
          <thead>
            <tr>
              <th scope="col">{t('lifecycle:fromTo')}</th>
              {report.stages.map((stage) => (
                <th key={stage.key} scope="col">
                  {label(stage.label, stage.key)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.key}>
                <th scope="row">{row.name}</th>
                {report.stages.map((stage) => {
                  const count = flow(row.key, stage.key);
                  const same = row.key === stage.key;
                  const heat = heatCell(same ? 0 : Math.min(6, heatLevel(count, most)));
                  const name = t('lifecycle:flowOf', {
                    from: row.name,
                    to: label(stage.label, stage.key),
                    count,
                    shown: fmt.number(count),
                  });
                  return (
                    <td key={stage.key}>
                      <button
                        type="button"
                        className={cx(css.cell, heat.className, same && css.stay)}
                        data-level={heat['data-level']}
                        disabled={count === 0}
                        aria-label={name}
                        onClick={() =>
                          open({
                            title: t('lifecycle:flowTitle', { from: row.name, to: label(stage.label, stage.key) }),
                            behind: {
                              figure: 'flow',
                              from: row.key,
                              to: stage.key,
                              begin: report.from ?? '',
                              end: report.to ?? '',
                            },
                          })
                        }
                      >
                        {count === 0 ? '' : fmt.number(count)}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Panel>
  );
}
