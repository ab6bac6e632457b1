import type { Offer } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';

/** Why a play is for a customer, and how its gain comes about, in sentences. */
export function useWhy() {
  const { t } = useTranslation('next');
  const fmt = useFormat();
  const label = useLabel();
  return (offer: Offer): string[] => {
    const share = (value: number) => fmt.percent(value, 1);
    const cost = Number(offer.cost.amount) > 0 ? t('next:why.cost', { cost: fmt.money(offer.cost) }) : '';
    const amount = fmt.money(offer.worth) + (offer.usual ? t('next:why.usual') : '');
    const parts = {
      lift: share(offer.lift),
      window: offer.window,
      worth: t(`next:worth.${offer.worth_is}`),
      amount,
      cost,
      low: share(offer.low),
      high: share(offer.high),
    };
    const measured = offer.learned ? t('next:why.learned', parts) : t('next:why.rule', parts);
    return [
      t('next:why.because', { sentence: label(offer.sentence) || t('next:why.everyone') }),
      offer.worth_is === 'fixed' && offer.lift === 1 ? t('next:why.fixed', parts) : measured,
      ...(offer.turned > 0 ? [t('next:why.turned', { count: offer.turned })] : []),
      ...(offer.stage < 0.995 ? [t('next:why.stage', { share: fmt.percent(offer.stage, 0) })] : []),
    ];
  };
}
