import type { LifecycleStage } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { EmptyState, Panel, Tooltip } from '@/ui';
import css from './lifecycle.module.css';

const WIDTH = 560;
const HEIGHT = 220;
const LEFT = 44;
const RIGHT = 14;
const TOP = 10;
const BOTTOM = 24;
const SHARES = [0, 0.25, 0.5, 0.75, 1];

/** The share still in a stage after so many days, with its interval. */
export function StayCurve({ stage }: { stage: LifecycleStage }) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const last = Math.max(1, stage.curve.at(-1)?.days ?? 1);
  const x = (days: number) => LEFT + ((WIDTH - LEFT - RIGHT) * days) / last;
  const y = (share: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  const steps = (pick: (point: LifecycleStage['curve'][number]) => number) => {
    let at = 1;
    const parts = [`${x(0)},${y(1)}`];
    for (const point of stage.curve) {
      parts.push(`${x(point.days)},${y(at)}`, `${x(point.days)},${y(pick(point))}`);
      at = pick(point);
    }
    return parts;
  };
  return (
    <Panel
      title={
        <Tooltip label={t('lifecycle:means.curve')}>
          <span>{t('lifecycle:curve')}</span>
        </Tooltip>
      }
      aside={<span>{t('lifecycle:curveOf', { over: fmt.number(stage.stays), going: fmt.number(stage.going) })}</span>}
    >
      {stage.curve.length === 0 ? (
        <EmptyState compact cause="no_match" title={t('lifecycle:noCurve')} text={t('lifecycle:noCurveText')} />
      ) : (
        <svg className={css.curve} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t('lifecycle:curve')}>
          {SHARES.map((share) => (
            <g key={share}>
              <line className={css.gridline} x1={LEFT} x2={WIDTH - RIGHT} y1={y(share)} y2={y(share)} />
              <text className={css.axis} x={LEFT - 6} y={y(share) + 4} textAnchor="end">
                {fmt.percent(share, 0)}
              </text>
            </g>
          ))}
          {[0, 0.5, 1].map((part) => (
            <text
              key={part}
              className={css.axis}
              x={x(last * part)}
              y={HEIGHT - 6}
              textAnchor={part === 1 ? 'end' : 'middle'}
            >
              {t('lifecycle:days', { count: Math.round(last * part), shown: fmt.number(Math.round(last * part)) })}
            </text>
          ))}
          <polygon
            className={css.band}
            points={[...steps((point) => point.low), ...steps((point) => point.high).toReversed()].join(' ')}
          />
          <polyline className={css.line} points={steps((point) => point.share).join(' ')} />
        </svg>
      )}
    </Panel>
  );
}
