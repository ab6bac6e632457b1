import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { duplicatesOfQuery, type ObjectType, type RecordData } from '@/api';

const Banner = lazy(() => import('./banner').then((module) => ({ default: module.DuplicateBanner })));

/** The banner and its words are fetched for a record that has duplicates, which few have. */
export function DuplicateBanner({ object, record }: { object: ObjectType; record: RecordData }) {
  const found = useQuery(duplicatesOfQuery(object.key, record.id)).data?.items.length ?? 0;
  return <Suspense>{found > 0 && <Banner object={object} record={record} />}</Suspense>;
}
