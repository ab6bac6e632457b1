import { lazy, type ReactNode, Suspense } from 'react';
import type { ObjectType, RecordData, Ref, TimelineEntry } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { SkeletonRows, type TabItem, Tabs } from '@/ui';
import { Composer } from '../work/composer';
import { OpenWork } from '../work/open-work';
import type { Relation } from './related-counts';
import { Timeline } from './timeline';

const History = lazy(() => import('./history').then((module) => ({ default: module.History })));
const Related = lazy(() => import('./related').then((module) => ({ default: module.Related })));

export interface ExtraTab {
  value: string;
  label: ReactNode;
  count?: number | undefined;
  content: ReactNode;
}

interface Props {
  object: ObjectType;
  record: RecordData;
  relations: readonly Relation[];
  counts: readonly (number | undefined)[];
  /** Before the timeline: the lines of an order. */
  before?: readonly ExtraTab[];
  /** After the related lists: the traits of a customer. */
  after?: readonly ExtraTab[];
  firstEntries?: TimelineEntry[];
  tab: string | undefined;
  onTab: (tab: string) => void;
  onOpenRef: (ref: Ref) => void;
}

export const relationKey = (relation: Relation): string => `${relation.object}.${relation.via}`;

/** As the layout says: the tabs that it names first, without those that it hides. One tab stays in any case. */
function inOrder<T extends { value: string }>(items: readonly T[], layout: ObjectType['layout']): readonly T[] {
  if (layout === undefined) return items;
  const order = layout.tabs ?? [];
  const rank = (item: T) => (order.includes(item.value) ? order.indexOf(item.value) : order.length);
  const kept = items.filter((item) => layout.hidden_tabs?.includes(item.value) !== true);
  return (kept.length > 0 ? kept : items.slice(0, 1)).toSorted((left, right) => rank(left) - rank(right));
}

export function RecordTabs(props: Props) {
  const { t } = useTranslation('records');
  const label = useLabel();
  const { object, record, relations, counts, before = [], after = [], onOpenRef } = props;
  const all: TabItem<string>[] = [
    ...before,
    {
      value: 'timeline',
      label: t('records:page.timeline'),
      content: (
        <>
          <Suspense>
            <Composer record={record} />
          </Suspense>
          <OpenWork record={record} onOpenRef={onOpenRef} />
          <Timeline
            object={object}
            id={record.id}
            onOpenRef={onOpenRef}
            {...(props.firstEntries && { first: props.firstEntries })}
          />
        </>
      ),
    },
    ...relations.map((relation, at) => ({
      value: relationKey(relation),
      label: label(relation.label, relation.object),
      count: counts[at],
      content: (
        <Suspense fallback={<SkeletonRows rows={8} />}>
          <Related relation={relation} record={record} onOpenRef={onOpenRef} />
        </Suspense>
      ),
    })),
    ...after,
    {
      value: 'history',
      label: t('records:page.history'),
      content: (
        <Suspense fallback={<SkeletonRows rows={8} />}>
          <History object={object} record={record} />
        </Suspense>
      ),
    },
  ];
  const items = inOrder(all, object.layout);
  const chosen = items.find((item) => item.value === props.tab) ?? items[0];
  return (
    <Tabs value={chosen?.value ?? 'timeline'} onChange={props.onTab} items={items} label={t('records:page.details')} />
  );
}
