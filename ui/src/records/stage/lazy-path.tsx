import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { type ObjectType, type RecordData, stagesQuery } from '@/api';
import { loadWords } from '@/i18n';

const Path = lazy(async () => {
  const [module] = await Promise.all([import('./path'), loadWords('stages')]);
  return { default: module.StagePath };
});

/** The bar of stages, fetched for objects that have them. */
export function StagePath({ object, record }: { object: ObjectType; record: RecordData }) {
  const has = useQuery(stagesQuery()).data?.items.some((one) => one.object === object.key) === true;
  return <Suspense>{has && <Path object={object} record={record} />}</Suspense>;
}
