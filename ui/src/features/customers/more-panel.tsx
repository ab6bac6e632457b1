import { lazy } from 'react';
import type { RecordData } from '@/api';

const PANELS = {
  behaviour: lazy(() => import('@/records/behaviour/panel').then((module) => ({ default: module.BehaviourPanel }))),
  identity: lazy(() => import('@/records/identity/panel').then((module) => ({ default: module.IdentityPanel }))),
  consent: lazy(() => import('@/records/consent/panel').then((module) => ({ default: module.ConsentPanel }))),
};

/** A tab of a customer that is fetched when somebody opens it. */
export function MorePanel({ which, record }: { which: keyof typeof PANELS; record: RecordData }) {
  const Chosen = PANELS[which];
  return <Chosen record={record} />;
}
