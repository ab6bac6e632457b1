import { lazy } from 'react';
import type { RecordData, Ref } from '@/api';
import { loadWords } from '@/i18n';

const PANELS = {
  recommend: lazy(() =>
    Promise.all([import('@/records/recommend/customer-panel'), loadWords('recommend')]).then(([module]) => ({
      default: module.CustomerRecommendPanel,
    })),
  ),
  behaviour: lazy(() => import('@/records/behaviour/panel').then((module) => ({ default: module.BehaviourPanel }))),
  interaction: lazy(() =>
    import('@/records/interactions/panel').then((module) => ({ default: module.InteractionsPanel })),
  ),
  identity: lazy(() => import('@/records/identity/panel').then((module) => ({ default: module.IdentityPanel }))),
  coupons: lazy(() =>
    Promise.all([import('@/records/offers/customer-panel'), loadWords('offers')]).then(([module]) => ({
      default: module.CustomerCouponsPanel,
    })),
  ),
  journeys: lazy(() =>
    Promise.all([import('@/records/journeys/customer-panel'), loadWords('journeys')]).then(([module]) => ({
      default: module.CustomerJourneysPanel,
    })),
  ),
  consent: lazy(() => import('@/records/consent/panel').then((module) => ({ default: module.ConsentPanel }))),
};

interface Props {
  which: keyof typeof PANELS;
  record: RecordData;
  onOpenRef: (ref: Ref) => void;
}

/** A tab of a customer that is fetched when somebody opens it. */
export function MorePanel({ which, record, onOpenRef }: Props) {
  const Chosen = PANELS[which];
  return <Chosen record={record} onOpenRef={onOpenRef} />;
}
