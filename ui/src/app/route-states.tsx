import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { Closed, ErrorState } from '@/ui';

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <ErrorState
      error={error}
      onRetry={() => {
        reset();
        router.invalidate();
      }}
    />
  );
}

export function NotFound() {
  return <Closed cause="not_found" />;
}
