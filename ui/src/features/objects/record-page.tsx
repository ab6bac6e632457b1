import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { type RecordData, recordQuery } from '@/api';
import { useFieldContext } from '@/fields';
import { loadWords, useFormat, useLabel, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { ApprovalBanner } from '@/records/approval/lazy-banner';
import { DuplicateBanner } from '@/records/duplicates/lazy-banner';
import { rememberList, useListContext, useNeighbours } from '@/records/list-context';
import { factsOf, pillsOf } from '@/records/page/facts';
import { FieldList } from '@/records/page/field-list';
import { Highlights } from '@/records/page/highlights';
import { Identity, Notice, RecordLayout } from '@/records/page/layout';
import { RecordActions } from '@/records/page/record-actions';
import { RecordTabs } from '@/records/page/record-tabs';
import { useRecordWork } from '@/records/page/record-work';
import { useRelatedCounts } from '@/records/page/related-counts';
import { useSurvivor } from '@/records/page/use-survivor';
import { StagePath } from '@/records/stage/lazy-path';
import { hasAvatar, pictureOf } from '@/records/title';
import { remember, usePeek } from '@/shell';
import { BackLink, Button, Closed, ErrorState, Page, SkeletonRows } from '@/ui';

const OrderLines = lazy(() => import('@/records/page/order-lines').then((module) => ({ default: module.OrderLines })));
const ContentPanel = lazy(() =>
  Promise.all([import('@/records/content/figures'), loadWords('interactions')]).then(([module]) => ({
    default: module.ContentPanel,
  })),
);
const ProductPanel = lazy(() =>
  Promise.all([import('@/records/recommend/product-panel'), loadWords('recommend')]).then(([module]) => ({
    default: module.ProductRecommendPanel,
  })),
);
const Guests = lazy(() => import('@/records/guests/guests').then((module) => ({ default: module.Guests })));

/** What a record is made of stands before what happened with it. */
const RANK: Record<string, number> = { variant: 0, contact: 0, refund: 2 };

type Object = NonNullable<ReturnType<typeof useObject>>;

/** A record of any object that has no page of its own. */
export function RecordPage({ object: key, id }: { object: string; id: string }) {
  const object = useObject(key);
  if (object === undefined) return <Closed cause="not_found" />;
  return <OneRecord object={object} id={id} />;
}

function OneRecord({ object, id }: { object: Object; id: string }) {
  const { t } = useTranslation('records');
  const label = useLabel();
  const fmt = useFormat();
  const context = useFieldContext();
  const navigate = useNavigate();
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const { open } = usePeek();
  const from = useListContext(object.key, id);
  const neighbours = useNeighbours(from);
  const answer = useQuery(recordQuery(object.key, id));
  const record = answer.data;
  const toList = () => navigate({ to: '/o/$object', params: { object: object.key }, search: from?.search ?? {} });
  const work = useRecordWork(object, toList);

  // The lines of an order have a table of their own.
  const relations = object.related
    .filter((relation) => !(object.key === 'order' && relation.object === 'order_line'))
    .sort((left, right) => (RANK[left.object] ?? 1) - (RANK[right.object] ?? 1));
  const counts = useRelatedCounts(relations, id, record !== undefined);

  const title = record?.title || id;
  useSurvivor(object.key, id, record);
  useEffect(() => {
    if (record !== undefined && record.id === id) remember({ object: object.key, id, title: record.title || id });
  }, [record, object.key, id]);

  const openRef = (ref: { object: string; id: string }) => open({ object: ref.object, id: ref.id });
  const before = (record: RecordData) => {
    if (object.key === 'order')
      return [
        {
          value: 'lines',
          label: t('records:order.lines'),
          content: (
            <Suspense fallback={<SkeletonRows rows={6} />}>
              <OrderLines order={record} onOpenRef={openRef} />
            </Suspense>
          ),
        },
      ];
    if (object.key === 'content')
      return [
        {
          value: 'interactions',
          label: t('records:page.interactions'),
          content: (
            <Suspense fallback={<SkeletonRows rows={6} />}>
              <ContentPanel record={record} />
            </Suspense>
          ),
        },
      ];
    return [];
  };

  const after = (record: RecordData) => {
    if (object.key === 'product')
      return [
        {
          value: 'recommend',
          label: t('records:page.recommend'),
          content: (
            <Suspense fallback={<SkeletonRows rows={6} />}>
              <ProductPanel record={record} onOpenRef={openRef} />
            </Suspense>
          ),
        },
      ];
    if (object.key === 'meeting')
      return [
        {
          value: 'guests',
          label: t('records:page.guests'),
          content: (
            <Suspense fallback={<SkeletonRows rows={4} />}>
              <Guests record={record} />
            </Suspense>
          ),
        },
      ];
    return [];
  };

  const body = () => {
    if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
    if (record === undefined) return <SkeletonRows rows={10} />;
    return (
      <RecordLayout
        notice={
          record.deleted_at === null ? (
            <>
              <ApprovalBanner object={object} record={record} />
              <StagePath object={object} record={record} />
              <DuplicateBanner object={object} record={record} />
            </>
          ) : (
            <Notice
              action={
                <Button kind="subtle" onClick={() => void work.restore(record)}>
                  {t('records:page.restore')}
                </Button>
              }
            >
              {t('records:page.inBin', { when: fmt.relative(record.deleted_at) })}
            </Notice>
          )
        }
        identity={
          <Identity
            title={title}
            avatar={hasAvatar(object)}
            picture={pictureOf(object, record)}
            subtitle={t('records:page.updated', { when: fmt.relative(record.updated_at) })}
            pills={pillsOf(object, record, context) ?? undefined}
          />
        }
        highlights={<Highlights items={factsOf(object, record, context)} label={t('records:page.details')} />}
        fields={<FieldList object={object} record={record} onOpenRef={openRef} />}
      >
        <RecordTabs
          object={object}
          record={record}
          relations={relations}
          counts={counts}
          before={before(record)}
          after={after(record)}
          tab={tab}
          onTab={(next) =>
            navigate({ to: '.', search: ((old: object) => ({ ...old, tab: next })) as never, replace: true })
          }
          onOpenRef={openRef}
        />
      </RecordLayout>
    );
  };
  return (
    <Page
      title={title}
      back={
        <BackLink
          to="/o/$object"
          params={{ object: object.key }}
          search={from?.search ?? {}}
          label={t('records:page.back', { name: label(object.plural, object.key) })}
        />
      }
      actions={
        record !== undefined && (
          <RecordActions
            object={object}
            record={record}
            work={work}
            neighbours={neighbours}
            onGo={(next, row) => {
              if (from !== null) rememberList({ ...from, id: next, row });
              navigate({
                to: '/o/$object/$id',
                params: { object: object.key, id: next },
                search: tab === undefined ? {} : { tab },
              });
            }}
          />
        )
      }
      layout="fill"
    >
      {body()}
    </Page>
  );
}
