import { IconCheck } from '@tabler/icons-react';
import { useTranslation } from '@/i18n';
import css from './imports.module.css';

const STEPS = ['file', 'map', 'run', 'result'] as const;
export type Step = (typeof STEPS)[number];

export function Steps({ now }: { now: Step }) {
  const { t } = useTranslation('imports');
  const at = STEPS.indexOf(now);
  return (
    <ol className={css.steps} aria-label={t('imports:steps')}>
      {STEPS.map((step, index) => (
        <li key={step} data-state={stateOf(index, at)} {...(index === at && { 'aria-current': 'step' as const })}>
          <span className={css.stepSign} aria-hidden>
            {index < at ? <IconCheck size={13} /> : index + 1}
          </span>
          {t(`imports:step.${step}`)}
        </li>
      ))}
    </ol>
  );
}
const stateOf = (index: number, at: number): string => {
  if (index < at) return 'past';
  return index === at ? 'now' : 'next';
};
