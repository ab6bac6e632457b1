import { Link } from '@tanstack/react-router';
import type { CustomerProfile } from '@/api';
import { labelText, useFormat, useLanguage, useTranslation } from '@/i18n';
import { Dot } from '@/ui';
import css from './customers.module.css';

/** Where a customer stands: the class in each classification and since when, and the segments. */
export function Standing({ profile }: { profile: CustomerProfile }) {
  const { t } = useTranslation('customers');
  const language = useLanguage();
  const fmt = useFormat();
  const { segments } = profile;
  const classes = profile.classes.filter((item) => item.key !== 'unknown');
  return (
    <>
      {classes.length > 0 && (
        <section className={css.standing}>
          <h2 className={css.heading}>{t('customers:classes')}</h2>
          <ul className={css.rows}>
            {classes.map((item) => (
              <li key={item.classification} className={css.row}>
                <Link className={css.rowLabel} to="/classifications/$key" params={{ key: item.classification }}>
                  {labelText(item.label, language, item.classification)}
                </Link>
                <span className={css.rowValue}>
                  <Dot color={item.color}>{labelText(item.class_label, language, item.key)}</Dot>
                  {item.since && (
                    <span className="muted">{t('customers:since', { date: fmt.shortDate(item.since) })}</span>
                  )}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {segments.length > 0 && (
        <section className={css.standing}>
          <h2 className={css.heading}>{t('customers:segments')}</h2>
          <div className={css.segments}>
            {segments.map((segment) => (
              <Link key={segment.key} className={css.segment} to="/segments/$key" params={{ key: segment.key }}>
                {labelText(segment.label, language, segment.key)}
              </Link>
            ))}
          </div>
        </section>
      )}
    </>
  );
}
