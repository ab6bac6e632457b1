import { useParams } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { SkeletonRows } from '@/ui';

const CustomerPage = lazy(() =>
  import('@/features/customers/customer-page').then((module) => ({ default: module.CustomerPage })),
);
const RecordPage = lazy(() =>
  import('@/features/objects/record-page').then((module) => ({ default: module.RecordPage })),
);

/** Customers have their own page; every other object shares one. A new id is a new page, with state of its own. */
export function RecordRoute() {
  const { object, id } = useParams({ from: '/app/o/$object/$id' });
  return (
    <Suspense fallback={<SkeletonRows rows={10} />}>
      {object === 'customer' ? (
        <CustomerPage key={id} id={id} />
      ) : (
        <RecordPage key={`${object}/${id}`} object={object} id={id} />
      )}
    </Suspense>
  );
}
