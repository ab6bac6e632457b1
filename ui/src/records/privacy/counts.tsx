import type { PrivacyCount } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import css from './privacy.module.css';

/** What goes and what stays, one line each. */
export function Counts({ counts, plain }: { counts: readonly PrivacyCount[]; plain?: boolean }) {
  const { t } = useTranslation('privacy');
  const label = useLabel();
  const fmt = useFormat();
  return (
    <ul className={css.counts}>
      {counts.map((each) => (
        <li key={each.part + each.fate}>
          <span>{each.label === undefined ? t(`privacy:part.${each.part}`) : label(each.label, each.part)}</span>
          {plain !== true && (
            <span className={each.fate === 'gone' ? css.gone : css.stays}>{t(`privacy:fate.${each.fate}`)}</span>
          )}
          <span className={css.number}>{fmt.number(each.count)}</span>
        </li>
      ))}
    </ul>
  );
}
