import { useTranslation } from '@/i18n';
import css from './customers.module.css';

const STEPS = [1, 2, 3, 4, 5];

/** Recency, frequency and money, each as five bars of which as many are filled as the score says. */
export function RfmBars({ rfm }: { rfm: { r: number; f: number; m: number } }) {
  const { t } = useTranslation('customers');
  const scores = [
    { sign: 'R', name: t('customers:rfm.r'), score: rfm.r },
    { sign: 'F', name: t('customers:rfm.f'), score: rfm.f },
    { sign: 'M', name: t('customers:rfm.m'), score: rfm.m },
  ];
  return (
    <span className={css.rfm}>
      {scores.map(({ sign, name, score }) => (
        <span
          key={sign}
          className={css.score}
          role="img"
          aria-label={t('customers:rfm.score', { name, score })}
          title={t('customers:rfm.score', { name, score })}
        >
          <span className={css.scoreSign}>{sign}</span>
          <span className={css.bars}>
            {STEPS.map((step) => (
              <span key={step} className={css.bar} data-on={step <= score || undefined} />
            ))}
          </span>
        </span>
      ))}
    </span>
  );
}
