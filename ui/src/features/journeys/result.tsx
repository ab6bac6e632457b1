import type { Journey, JourneyCounts } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Panel, Stat, Stats } from '@/ui';
import css from './journeys.module.css';

interface Props {
  journey: Journey;
  counts: JourneyCounts;
  onPeople: () => void;
}

/** How many are where, and what was gained over those whom chance held back. */
export function Result({ journey, counts, onPeople }: Props) {
  const { t } = useTranslation('journeys');
  const fmt = useFormat();
  const { standing, goal } = counts;
  const measured = journey.in_force !== undefined && !['', 'none'].includes(journey.in_force.goal.kind);
  return (
    <Panel
      title={t('journeys:result.title')}
      aside={
        <button type="button" className={css.link} onClick={onPeople}>
          {t('journeys:people.all')}
        </button>
      }
    >
      <div className={css.form}>
        {journey.reason !== '' && <p className={css.note}>{t('journeys:result.paused')}</p>}
        <Stats>
          {(['entered', 'on', 'done', 'left', 'held', 'goal'] as const).map((key) => (
            <Stat key={key} label={t(`journeys:figure.${key}`)} value={fmt.number(standing[key])} />
          ))}
        </Stats>
        {measured && (
          <>
            <p className={css.note}>
              {t('journeys:result.arms', {
                treated: fmt.number(counts.treated.people),
                goal: fmt.number(counts.treated.goal),
                control: fmt.number(counts.control.people),
                controlGoal: fmt.number(counts.control.goal),
              })}
            </p>
            <p className={css.note}>
              {goal.ok && counts.balanced
                ? t('journeys:result.lift', {
                    lift: fmt.percent(goal.lift),
                    low: fmt.percent(goal.low),
                    high: fmt.percent(goal.high),
                    verdict: t(`journeys:verdict.${goal.verdict}`),
                  })
                : t(counts.balanced ? 'journeys:result.few' : 'journeys:result.skew')}
              {counts.open && ` ${t('journeys:result.open')}`}
            </p>
          </>
        )}
      </div>
    </Panel>
  );
}
