import { useQuery } from '@tanstack/react-query';
import { visitQuery } from '@/api';
import { ErrorState, SkeletonRows } from '@/ui';
import { ActList } from './acts';

/** What was done in one visit, read when somebody opens it. */
export function VisitActs({ customer, visit, ended }: { customer: string; visit: string; ended: string }) {
  const answer = useQuery(visitQuery(customer, visit, ended));
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
  if (answer.data === undefined) return <SkeletonRows rows={2} />;
  return <ActList acts={answer.data.acts} />;
}
