import type { LifecycleReport } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { EmptyState, Panel, SegmentedControl, Tooltip } from '@/ui';
import { hueFill } from '@/ui/chart';
import { WITHIN } from './ask';
import css from './lifecycle.module.css';

interface Props {
  report: LifecycleReport;
  go: (change: { within: number }) => void;
}

/** How many of those who became known reached each growing stage in time. */
export function Funnel({ report, go }: Props) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  const growing = report.stages.filter((stage) => stage.phase === 'growing');
  const all = report.ever_customers;
  return (
    <Panel
      title={
        <Tooltip label={t('lifecycle:means.funnel')}>
          <span>{t('lifecycle:funnel')}</span>
        </Tooltip>
      }
      aside={
        <SegmentedControl
          label={t('lifecycle:within')}
          value={String(report.within)}
          onChange={(next) => go({ within: Number(next) })}
          options={WITHIN.map((span) => ({ value: String(span), label: t('lifecycle:withinDays', { count: span }) }))}
        />
      }
    >
      {all === 0 ? (
        <EmptyState compact cause="no_match" title={t('lifecycle:tooYoung')} text={t('lifecycle:tooYoungText')} />
      ) : (
        <>
          <ol className={css.steps}>
            {growing.map((stage) => (
              <li key={stage.key} className={css.step}>
                <span className="truncate">{label(stage.label, stage.key)}</span>
                <div className={css.track}>
                  <div
                    className={css.fill}
                    style={{ width: `${(stage.ever / all) * 100}%`, background: hueFill(stage.color) }}
                  />
                </div>
                <span className={css.stepValue}>
                  {fmt.percent(stage.ever / all)} <span className="muted">{fmt.number(stage.ever)}</span>
                </span>
              </li>
            ))}
          </ol>
          <p className={css.note}>{t('lifecycle:funnelOf', { count: all, shown: fmt.number(all) })}</p>
        </>
      )}
    </Panel>
  );
}
