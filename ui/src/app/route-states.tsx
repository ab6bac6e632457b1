import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { Suspense } from 'react';
import { connectionStore } from '@/api';
import { lazyPart } from '@/lib/lazy-part';
import { useStore } from '@/lib/store';
import { Closed, ErrorState } from '@/ui';

const NotHere = lazyPart(() => import('./not-here').then((module) => module.NotHere));

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const { online } = useStore(connectionStore);
  const said = (
    <ErrorState
      error={error}
      onRetry={() => {
        reset();
        router.invalidate();
      }}
    />
  );
  return online ? (
    said
  ) : (
    <Suspense fallback={said}>
      <NotHere />
    </Suspense>
  );
}

export function NotFound() {
  return <Closed cause="not_found" />;
}
