import { Suspense } from 'react';
import { type Waiting, waitingStore } from '@/api';
import { lazyPart } from '@/lib/lazy-part';
import { useStore } from '@/lib/store';

const WaitingHere = lazyPart(() => import('./waiting-here').then((module) => module.WaitingHere));

/** The place on a page where what waits stands; nothing is loaded where nothing waits. */
export function WaitingPlace({ only }: { only: (item: Waiting) => boolean }) {
  const any = useStore(waitingStore).some(only);
  return <Suspense>{any && <WaitingHere only={only} />}</Suspense>;
}
