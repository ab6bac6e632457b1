import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { type Capability, webOverviewQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonAnchor, Closed, EmptyState, ErrorState, Page, SkeletonRows, Tabs } from '@/ui';
import { Stack } from '@/ui/figures';
import { FilterBar } from './filter-bar';
import { Overview } from './overview';
import { daysOf, TABS, useWeb, type WebTab } from './search';

const Sources = lazy(() => import('./sources').then((module) => ({ default: module.Sources })));
const Pages = lazy(() => import('./pages').then((module) => ({ default: module.Pages })));
const Events = lazy(() => import('./pages').then((module) => ({ default: module.Events })));
const Funnel = lazy(() => import('./funnel').then((module) => ({ default: module.Funnel })));
const Paths = lazy(() => import('./paths').then((module) => ({ default: module.Paths })));
const Retention = lazy(() => import('./retention').then((module) => ({ default: module.Retention })));
const People = lazy(() => import('./people').then((module) => ({ default: module.People })));

const REPORTS = { sources: Sources, pages: Pages, events: Events, funnel: Funnel, paths: Paths, retention: Retention };

/** Who holds it makes the doors that events come by. */
const SOURCES: string = 'source.manage';

/** Nobody has come yet: how to begin. */
function Begin() {
  const { t } = useTranslation('web');
  const can = useCan();
  return (
    <EmptyState
      cause="none"
      title={t('web:empty.title')}
      text={t('web:empty.text')}
      {...(can(SOURCES as Capability) && {
        actions: (
          <ButtonAnchor href="/settings/sources" kind="primary">
            {t('web:empty.begin')}
          </ButtonAnchor>
        ),
      })}
    />
  );
}

function Reports() {
  const { t } = useTranslation('web');
  const { ask, tab, go, search } = useWeb();
  const hours = daysOf(ask) <= 2 || (search.hour === true && daysOf(ask) <= 7);
  const { data, error, refetch, isPlaceholderData } = useQuery(webOverviewQuery(ask, hours ? 'hour' : 'day'));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  if (!data.any) return <Begin />;
  const Report = tab === 'overview' ? null : REPORTS[tab];
  return (
    <Stack>
      <Tabs<WebTab>
        label={t('web:title')}
        value={tab}
        onChange={(next) => go({ tab: next, by: undefined, who: undefined }, true)}
        items={TABS.map((value) => ({ value, label: t(`web:tab.${value}`) }))}
      />
      <FilterBar goal={tab === 'overview' || tab === 'sources'} />
      {error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {Report === null ? (
        <Overview data={data} dim={isPlaceholderData} hours={hours} />
      ) : (
        <Suspense fallback={<SkeletonRows rows={8} />}>
          <Report />
        </Suspense>
      )}
      {search.who !== undefined && (
        <Suspense>
          <People who={search.who} />
        </Suspense>
      )}
    </Stack>
  );
}

export function WebPage() {
  const { t } = useTranslation('web');
  const allowed = useCan()('web.read');
  return <Page title={t('web:title')}>{allowed ? <Reports /> : <Closed cause="no_permission" />}</Page>;
}
