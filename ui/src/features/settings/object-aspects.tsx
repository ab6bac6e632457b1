import { lazy, Suspense } from 'react';
import type { ObjectType } from '@/api';
import { loadWords, useTranslation } from '@/i18n';
import { SkeletonRows, type TabItem } from '@/ui';

const withWords = <T,>(load: Promise<T>) =>
  Promise.all([load, loadWords('layout', 'records', 'customers')]).then(([module]) => module);
const ObjectLayout = lazy(() =>
  withWords(import('./object-layout')).then((module) => ({ default: module.ObjectLayout })),
);
const ObjectUnique = lazy(() =>
  withWords(import('./object-unique')).then((module) => ({ default: module.ObjectUnique })),
);
const ObjectSpeed = lazy(() => import('./object-speed').then((module) => ({ default: module.ObjectSpeed })));

/** The tabs of an object's settings whose code comes when they are opened: layout, unique rules, speed. */
export function useAspects<T extends string>(object: ObjectType): TabItem<T>[] {
  const { t } = useTranslation(['layout', 'speed', 'convert']);
  const aspects: TabItem<string>[] = [
    {
      value: 'layout',
      label: t('layout:tab'),
      content: (
        <Suspense fallback={<SkeletonRows rows={8} />}>
          <ObjectLayout object={object} />
        </Suspense>
      ),
    },
    {
      value: 'unique',
      label: t('layout:uniqueTab'),
      count: object.unique_rules?.length ?? 0,
      content: (
        <Suspense fallback={<SkeletonRows rows={4} />}>
          <ObjectUnique object={object} />
        </Suspense>
      ),
    },
    {
      value: 'speed',
      label: t('speed:tab'),
      content: (
        <Suspense fallback={<SkeletonRows rows={4} />}>
          <ObjectSpeed object={object} />
        </Suspense>
      ),
    },
  ];
  return aspects as TabItem<T>[];
}
