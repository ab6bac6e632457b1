import type { OfferRule, OfferStatus } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useMinor } from '@/metadata';

export const STATUS_HUE: Record<OfferStatus, string> = { draft: 'gray', active: 'green', ended: 'red' };
export const COUPON_HUE = { issued: 'blue', reserved: 'amber', redeemed: 'green', revoked: 'gray' } as const;

/** A rule in one line: what it gives, and from what sum on. */
export function useGives() {
  const { t } = useTranslation('offers');
  const minor = useMinor();
  const fmt = useFormat();
  return (rule: OfferRule): string => {
    const most = rule.most > 0 ? t('offers:gives.most', { amount: minor.text(rule.most) }) : '';
    const what = {
      percent: t('offers:gives.percent', { percent: fmt.percent(rule.percent / 100, 0) }) + most,
      amount: t('offers:gives.amount', { amount: minor.text(rule.amount) }),
      gift: t('offers:gives.gift', { gift: rule.gift }),
      shipping: t('offers:gives.shipping') + most,
      trial: rule.amount > 0 ? t('offers:gives.trial', { amount: minor.text(rule.amount) }) : t('offers:gives.free'),
    }[rule.kind];
    return rule.minimum > 0 ? t('offers:gives.from', { what, amount: minor.text(rule.minimum) }) : what;
  };
}

/** From when to when a rule holds. */
export function useSpan() {
  const { t } = useTranslation('offers');
  const fmt = useFormat();
  return (rule: OfferRule): string => {
    const from = rule.from === '' ? '' : fmt.date(rule.from);
    const to = rule.to === '' ? '' : fmt.date(rule.to);
    if (from === '' && to === '') return t('offers:span.always');
    if (to === '') return t('offers:span.since', { from });
    return from === '' ? t('offers:span.until', { to }) : t('offers:span.both', { from, to });
  };
}
