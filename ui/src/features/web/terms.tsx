import { useTranslation } from '@/i18n';
import css from './web.module.css';

export const TERMS = [
  'visitors',
  'visits',
  'views',
  'bounce',
  'duration',
  'engagedTime',
  'engagedRate',
  'conversion',
  'entries',
  'exits',
  'exitRate',
  'pageBounce',
  'dwell',
  'count',
] as const;
export type Term = (typeof TERMS)[number];

/** What the figures above mean, in the words that they are counted by. */
export function Terms({ of }: { of: readonly Term[] }) {
  const { t } = useTranslation('web');
  return (
    <dl className={css.terms}>
      {of.map((term) => (
        <div key={term}>
          <dt>{t(`web:term.${term}`)}</dt>
          <dd>{t(`web:means.${term}`)}</dd>
        </div>
      ))}
    </dl>
  );
}
