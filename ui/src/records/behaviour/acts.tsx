import type { BehavedAct } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import css from './behaviour.module.css';

/** Events that the specification of shops names; others are called as they are sent. */
const NAMES = [
  'Product Viewed',
  'Product Clicked',
  'Product Added',
  'Product Removed',
  'Product Added to Wishlist',
  'Products Searched',
  'Product List Viewed',
  'Cart Viewed',
  'Checkout Started',
  'Payment Info Entered',
  'Order Completed',
  'Order Cancelled',
  'Order Refunded',
  'Coupon Applied',
  'Product Shared',
  'Product Reviewed',
] as const;
type Known = (typeof NAMES)[number];
const isKnown = (name: string): name is Known => (NAMES as readonly string[]).includes(name);

/** What was done, in words. */
export function useSay(): (act: BehavedAct) => string {
  const { t } = useTranslation('profile');
  return (act) => {
    if (act.kind !== 'track') return act.title || act.path || act.name;
    const name = isKnown(act.name)
      ? t(`profile:behaved.name.${act.name.replaceAll(' ', '_') as 'Product_Viewed'}`)
      : act.name;
    return act.about === undefined ? name : t('profile:behaved.did', { name, about: act.about });
  };
}

/** The events of a visit, newest first. */
export function ActList({ acts }: { acts: readonly BehavedAct[] }) {
  const { t } = useTranslation('profile');
  const fmt = useFormat();
  const say = useSay();
  if (acts.length === 0) return <p className="muted">{t('profile:behaved.actsNone')}</p>;
  return (
    <ol className={css.acts}>
      {acts.map((act, at) => (
        <li key={at} data-act={act.kind === 'track' || undefined}>
          <span className={css.say}>{say(act)}</span>
          <time className={css.when} dateTime={act.at}>
            {fmt.time(act.at)}
          </time>
        </li>
      ))}
    </ol>
  );
}
