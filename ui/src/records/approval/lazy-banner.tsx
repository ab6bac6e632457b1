import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { type ObjectType, type RecordData, recordApprovalsQuery } from '@/api';
import { loadWords } from '@/i18n';

const Banner = lazy(async () => {
  const [module] = await Promise.all([import('./banner'), loadWords('approvals')]);
  return { default: module.ApprovalBanner };
});

/** The banner and its words are fetched for a record that waits for approval. */
export function ApprovalBanner({ object, record }: { object: ObjectType; record: RecordData }) {
  const answer = useQuery(recordApprovalsQuery(object.key, record.id)).data;
  return <Suspense>{answer !== undefined && answer.locks.length > 0 && <Banner locks={answer.locks} />}</Suspense>;
}
