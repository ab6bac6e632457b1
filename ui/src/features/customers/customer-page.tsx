import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { type CustomerProfile, isApiError, type ObjectType, profileQuery, watchCustomer } from '@/api';
import { useFieldContext } from '@/fields';
import { loadWords, useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, useCan, useObject, useTraits } from '@/metadata';
import { ApprovalBanner } from '@/records/approval/lazy-banner';
import { DuplicateBanner } from '@/records/duplicates/lazy-banner';
import { rememberList, useListContext, useNeighbours } from '@/records/list-context';
import { chosenFacts, pillsOf, profileFacts } from '@/records/page/facts';
import { FieldList } from '@/records/page/field-list';
import { type Highlight, Highlights } from '@/records/page/highlights';
import { Identity, Notice, RecordLayout } from '@/records/page/layout';
import { RecordActions } from '@/records/page/record-actions';
import { RecordTabs } from '@/records/page/record-tabs';
import { useRecordWork } from '@/records/page/record-work';
import { useSurvivor } from '@/records/page/use-survivor';
import { StagePath } from '@/records/stage/lazy-path';
import { pictureOf } from '@/records/title';
import { remember, usePeek } from '@/shell';
import { BackLink, Button, Closed, ErrorState, Page, Pill, SkeletonRows } from '@/ui';
import { RfmBars } from './rfm-bars';
import { Standing } from './standing';

const ConsentPills = lazy(() => import('@/records/consent/pills').then((module) => ({ default: module.ConsentPills })));
const NextCard = lazy(() =>
  Promise.all([import('@/records/actions/next-card'), loadWords('next')]).then(([module]) => ({
    default: module.NextCard,
  })),
);
const TraitsPanel = lazy(() => import('./traits-panel').then((module) => ({ default: module.TraitsPanel })));
const MorePanel = lazy(() => import('./more-panel').then((module) => ({ default: module.MorePanel })));

/** The 360° view of one customer. */
export function CustomerPage({ id }: { id: string }) {
  const object = useObject('customer');
  if (object === undefined) return <Closed cause="not_found" />;
  return <OneCustomer object={object} id={id} />;
}

const MORE = ['recommend', 'behaviour', 'interaction', 'coupons', 'journeys', 'identity', 'consent'] as const;
const FIGURES = 4;

const LEAVING: readonly unknown[] = ['high', 'lost'];
const keyOf = (value: unknown): unknown => (value instanceof Object && 'key' in value ? value.key : value);

/** Orders first; contacts are for those who have some, or could, reasons of leaving for those who leave. */
const RANK: Record<string, number> = { order: 0, contact: 1, refund: 2 };
function relationsOf(profile: CustomerProfile) {
  const company = profile.record.fields.kind !== 'person';
  const leaving = profile.traits.some((trait) => trait.key === 'churn_band' && LEAVING.includes(keyOf(trait.value)));
  return profile.related
    .filter(
      (relation) =>
        relation.count > 0 ||
        relation.object === 'order' ||
        (relation.object === 'contact' && company) ||
        (relation.object === 'churn_reason' && leaving),
    )
    .sort((left, right) => (RANK[left.object] ?? 9) - (RANK[right.object] ?? 9));
}

const PILLS = 6;
/** The classes that say something, the standard ones first. */
const tellingClasses = (profile: CustomerProfile) =>
  profile.classes.filter((item) => item.key !== 'unknown').slice(0, PILLS);

function OneCustomer({ object, id }: { object: ObjectType; id: string }) {
  const { t } = useTranslation(['customers', 'records']);
  const label = useLabel();
  const fmt = useFormat();
  const context = useFieldContext();
  const traits = useTraits();
  const can = useCan();
  const navigate = useNavigate();
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const { open } = usePeek();
  const from = useListContext('customer', id);
  const neighbours = useNeighbours(from);
  const answer = useQuery(profileQuery(id));
  const profile = answer.data;
  const record = profile?.record;
  const title = record?.title || t('customers:title');
  const toList = () => navigate({ to: '/o/$object', params: { object: 'customer' }, search: from?.search ?? {} });
  const work = useRecordWork(object, toList);
  useSurvivor('customer', id, record);
  const client = useQueryClient();
  const shown = record?.id === id;
  useEffect(() => (shown ? watchCustomer(client, id) : undefined), [client, id, shown]);
  useEffect(() => {
    if (record !== undefined && record.id === id) remember({ object: 'customer', id, title: record.title || id });
  }, [record, id]);

  const body = () => {
    if (answer.isError) {
      const gone = isApiError(answer.error, 404);
      return <ErrorState error={answer.error} onRetry={gone ? undefined : () => answer.refetch()} />;
    }
    if (profile === undefined || record === undefined) return <SkeletonRows rows={10} />;
    const openRef = (ref: { object: string; id: string }) => open({ object: ref.object, id: ref.id });
    const relations = relationsOf(profile);
    const figures: Highlight[] =
      chosenFacts(object, record, context) ?? profileFacts(profile, context, traits).slice(0, FIGURES);
    if (profile.rfm !== null)
      figures.push({ key: 'rfm', label: t('customers:rfm.title'), value: <RfmBars rfm={profile.rfm} /> });
    const kind = findField(object, 'kind')?.options?.find((option) => option.key === record.fields.kind);
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
            avatar
            picture={pictureOf(object, record)}
            subtitle={[
              label(kind?.label),
              profile.behaviour && t('customers:lastVisit', { when: fmt.relative(profile.behaviour.last_at) }),
              t('records:page.updated', { when: fmt.relative(record.updated_at) }),
            ]
              .filter(Boolean)
              .join(' \u00b7 ')}
            pills={
              <>
                {tellingClasses(profile).map((item) => (
                  <Pill key={item.classification} color={item.color}>
                    {label(item.class_label, item.key)}
                  </Pill>
                ))}
                {pillsOf(object, record, context)}
                {profile.consent && (
                  <Suspense>
                    <ConsentPills consent={profile.consent} />
                  </Suspense>
                )}
              </>
            }
          />
        }
        highlights={<Highlights items={figures} label={t('customers:figures')} />}
        fields={
          <>
            {can('segment.read') && record.deleted_at === null && (
              <Suspense>
                <NextCard id={record.id} name={title} editable={object.actions.update} />
              </Suspense>
            )}
            <Standing profile={profile} />
            <FieldList object={object} record={record} onOpenRef={openRef} />
          </>
        }
      >
        <RecordTabs
          object={object}
          record={record}
          relations={relations}
          counts={relations.map((relation) => relation.count)}
          firstEntries={profile.timeline}
          after={[
            {
              value: 'traits',
              label: t('customers:traits.title'),
              content: (
                <Suspense fallback={<SkeletonRows rows={8} />}>
                  <TraitsPanel id={record.id} traits={profile.traits} definitions={traits} />
                </Suspense>
              ),
            },
            ...MORE.filter(
              (value) =>
                (value !== 'consent' || can('consent.read')) &&
                (value !== 'coupons' || can('offer.read')) &&
                (value !== 'journeys' || can('campaign.read')),
            ).map((value) => ({
              value,
              label: t(`customers:${value}`),
              content: (
                <Suspense fallback={<SkeletonRows rows={6} />}>
                  <MorePanel which={value} record={record} onOpenRef={openRef} />
                </Suspense>
              ),
            })),
          ]}
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
          params={{ object: 'customer' }}
          search={from?.search ?? {}}
          label={t('customers:back')}
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
                params: { object: 'customer', id: next },
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
