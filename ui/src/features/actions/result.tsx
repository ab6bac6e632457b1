import type { Play } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Pill } from '@/ui';
import css from './actions.module.css';

const HUES: Record<Play['result']['verdict'], string> = {
  no_holdout: 'gray',
  waiting: 'gray',
  mismatch: 'amber',
  better: 'green',
  worse: 'red',
  unclear: 'gray',
  unknown: 'gray',
};

export function Verdict({ play }: { play: Play }) {
  const { t } = useTranslation('actions');
  return <Pill color={HUES[play.result.verdict]}>{t(`actions:verdict.${play.result.verdict}`)}</Pill>;
}

/** What came of a play, in sentences. */
export function Result({ play }: { play: Play }) {
  const { t } = useTranslation('actions');
  const fmt = useFormat();
  const { result, picked } = play;
  const share = (value: number) => fmt.percent(value, 1);
  const points = (value: number) => `${value > 0 ? '+' : ''}${share(value)}`;
  const measured = ['better', 'worse', 'unclear', 'unknown', 'mismatch'].includes(result.verdict);
  return (
    <div className={css.said}>
      <p>
        <Verdict play={play} />
      </p>
      <p>
        {t(`actions:said.${result.verdict}`, {
          with: share(result.with),
          without: share(result.without),
          lift: points(result.lift),
          low: points(result.low),
          high: points(result.high),
          window: play.window,
          p: fmt.number(result.p, 4),
        })}
      </p>
      {measured && result.has_total && result.verdict !== 'mismatch' && (
        <p>
          {t('actions:said.total', {
            total: fmt.money(result.total),
            low: fmt.money(result.total_low),
            high: fmt.money(result.total_high),
          })}
        </p>
      )}
      {measured && (
        <p className="muted">
          {t('actions:said.people', {
            treated: fmt.number(result.treated),
            control: fmt.number(result.control),
            share: share(result.share),
          })}
          {result.need > 0 && ` ${t('actions:said.need', { need: fmt.number(result.need) })}`}
        </p>
      )}
      {picked.done > 0 && (
        <p className="muted">
          {t('actions:said.done', {
            done: fmt.number(picked.done),
            bought: fmt.number(picked.bought),
            revenue: fmt.money(picked.revenue),
          })}
        </p>
      )}
    </div>
  );
}
