import { useQuery } from '@tanstack/react-query';
import { type ClassStep, classStepsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Dot, Tooltip } from '@/ui';
import css from './customers.module.css';

const FEW = 4;

/** The steps of each classification in which the customer ever moved, the newest first. */
function movesOf(steps: readonly ClassStep[]): [ClassStep, ClassStep[]][] {
  const by = new Map<string, ClassStep[]>();
  for (const step of steps) by.set(step.classification, [...(by.get(step.classification) ?? []), step]);
  return [...by.values()]
    .filter((list) => list.length > 1)
    .sort(
      (left, right) =>
        Number(right[0]?.classification === 'lifecycle') - Number(left[0]?.classification === 'lifecycle'),
    )
    .slice(0, FEW)
    .flatMap((list) => (list[0] === undefined ? [] : [[list[0], list.toReversed()] as [ClassStep, ClassStep[]]]));
}

/** Which classes a customer went through, since when, for how long, and why. */
export function ClassHistory({ id }: { id: string }) {
  const { t } = useTranslation('customers');
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  const { data } = useQuery({ ...classStepsQuery(id), enabled: can('segment.read') });
  const moves = movesOf(data?.items ?? []);
  if (moves.length === 0) return null;
  return (
    <section className={css.standing} aria-label={t('customers:steps.title')}>
      <h2 className={css.heading}>{t('customers:steps.title')}</h2>
      {moves.map(([first, steps]) => (
        <div key={first.classification}>
          <div className="muted">{label(first.label, first.classification)}</div>
          <ol className={css.rows}>
            {steps.map((step) => (
              <li key={step.day + step.key} className={css.row}>
                <span className={css.rowLabel}>
                  {step.first ? t('customers:steps.before', { day: fmt.date(step.day) }) : fmt.date(step.day)}
                </span>
                <span className={css.rowValue}>
                  <Tooltip label={step.sentence === undefined ? t('customers:steps.rest') : label(step.sentence)}>
                    <span>
                      <Dot color={step.color}>{label(step.class_label, step.key) || t('customers:steps.none')}</Dot>
                    </span>
                  </Tooltip>
                  <span className="muted">
                    {t('customers:steps.days', { count: step.days, shown: fmt.number(step.days) })}
                    {step.replayed && ` \u00b7 ${t('customers:steps.replayed')}`}
                  </span>
                </span>
              </li>
            ))}
          </ol>
        </div>
      ))}
    </section>
  );
}
