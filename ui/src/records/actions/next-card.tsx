import { useQuery } from '@tanstack/react-query';
import { customerActionsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import css from './actions.module.css';
import { Decide } from './decide';
import { useWhy } from './why';

/** What to do next for a customer: the first three plays with their reasons, and what was decided lately. */
export function NextCard({ id, name, editable }: { id: string; name: string; editable: boolean }) {
  const { t } = useTranslation('next');
  const fmt = useFormat();
  const label = useLabel();
  const why = useWhy();
  const { data } = useQuery(customerActionsQuery(id));
  if (data === undefined) return null;
  const { offers, past } = data;
  if (offers.length === 0 && past.length === 0 && !data.full) return null;
  const bought = (it: (typeof past)[number]) => {
    if (it.pick !== 'taken') return t('next:why.until', { day: fmt.shortDate(it.until) });
    if (it.bought === null) return '';
    return it.bought ? t('next:why.bought') : t('next:why.notBought');
  };
  return (
    <section className={css.card} aria-label={t('next:why.title')}>
      <h2 className={css.heading}>{t('next:why.title')}</h2>
      {data.full && <p className={css.why}>{t('next:why.full')}</p>}
      {!data.full && offers.length === 0 && <p className={css.why}>{t('next:why.nothing')}</p>}
      <ul className={css.list}>
        {offers.map((offer) => (
          <li key={offer.play} className={css.item}>
            <div className={css.top}>
              <span>
                <span className={css.name}>{label(offer.label, offer.play)}</span>{' '}
                <span className={css.gain}>{t('next:why.gain', { gain: fmt.money(offer.gain) })}</span>
              </span>
              {editable && (
                <Decide
                  subject={{
                    customer: id,
                    customerName: name,
                    play: offer.play,
                    name: label(offer.label, offer.play),
                    kind: offer.kind,
                  }}
                />
              )}
            </div>
            {label(offer.what) !== '' && <p>{label(offer.what)}</p>}
            {why(offer).map((sentence) => (
              <p key={sentence} className={css.why}>
                {sentence}
              </p>
            ))}
          </li>
        ))}
      </ul>
      {past.length > 0 && (
        <>
          <h3 className={css.heading}>{t('next:why.past')}</h3>
          <ul className={css.list}>
            {past.map((one) => (
              <li key={`${one.play} ${one.day}`} className={css.why}>
                {[
                  fmt.shortDate(one.day),
                  label(one.label, one.play),
                  t(`next:pick.${one.pick}`),
                  one.reason,
                  bought(one),
                ]
                  .filter(Boolean)
                  .join(' \u00b7 ')}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
