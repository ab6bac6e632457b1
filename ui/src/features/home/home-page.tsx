import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { type DemoState, demoQuery, type Home, type HomeDays, homeQuery, isDemoBusy } from '@/api';
import { loadWords, useFormat, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import { Delayed, ErrorState, Page, Panel, SegmentedControl, Skeleton } from '@/ui';
import { Lifecycle, ValueTiers } from './classes';
import { Cohorts } from './cohorts';
import { DemoBroken, DemoLoading, useFreshAfterDemo } from './demo-offer';
import { EmptyHome } from './empty-home';
import { greetingAt } from './figures';
import css from './home.module.css';
import { Kpis } from './kpis';
import { OwnLists } from './own-lists';
import { Channels, TopProducts } from './ranked';
import { RfmGrid } from './rfm-grid';
import { Trend } from './trend';

const HomeLeaving = lazy(() =>
  Promise.all([import('@/records/churn/home-panel'), loadWords('churn')]).then(([module]) => ({
    default: module.HomeLeaving,
  })),
);

const SPANS: HomeDays[] = [30, 90, 365, 730];

function Greeting({ home, stamp }: { home: Home | undefined; stamp: boolean }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const { user } = useSession();
  const hour = Number(fmt.time(new Date().toISOString()).slice(0, 2));
  const historic = home !== undefined && home.anchor < fmt.today();
  const asOf = ({ as_of, lag_seconds }: Home) => {
    const when = fmt.datetime(as_of);
    return lag_seconds < 1 ? t('home:asOfNow', { when }) : t('home:asOf', { when, lag: fmt.duration(lag_seconds) });
  };
  return (
    <div className={css.greeting}>
      <h2 className={css.hello}>{t(`home:hello.${greetingAt(hour)}`, { name: user?.name || user?.email || '' })}</h2>
      <p className={css.stamp}>
        {stamp && home !== undefined && asOf(home)}
        {stamp && historic && ` \u00b7 ${t('home:anchor', { day: fmt.date(home.anchor) })}`}
        {home === undefined && '\u00a0'}
      </p>
    </div>
  );
}

function Bones() {
  return (
    <Delayed>
      <div className={css.page} role="status" aria-busy="true">
        <div className={css.kpis}>
          {Array.from({ length: 4 }, (_, at) => (
            <div key={at} className={css.kpi}>
              <Skeleton width={90} />
              <div style={{ margin: '10px 0' }}>
                <Skeleton width={130} height={26} />
              </div>
              <Skeleton width={120} />
              <div style={{ marginTop: 12 }}>
                <Skeleton width="70%" />
              </div>
            </div>
          ))}
        </div>
        <div className={css.wide}>
          <Panel>
            <Skeleton width={100} />
            <div style={{ marginTop: 14 }}>
              <Skeleton height={228} />
            </div>
          </Panel>
          <Panel>
            <Skeleton width={100} />
            <div className="stack" style={{ marginTop: 16 }}>
              {Array.from({ length: 7 }, (_, at) => (
                <Skeleton key={at} height={22} width={`${95 - at * 9}%`} />
              ))}
            </div>
          </Panel>
        </div>
      </div>
    </Delayed>
  );
}

function Figures({ home, days, dim }: { home: Home; days: HomeDays; dim: boolean }) {
  return (
    <div className={css.page} data-dim={dim || undefined} aria-busy={dim}>
      <Kpis home={home} days={days} />
      <div className={css.wide}>
        <Trend home={home} />
        <Lifecycle groups={home.lifecycle} />
      </div>
      <div className={css.wide}>
        <RfmGrid home={home} />
        <ValueTiers groups={home.value_tiers} />
      </div>
      <div className={css.halves}>
        <TopProducts home={home} />
        <Channels home={home} />
      </div>
      <Suspense>
        <HomeLeaving />
      </Suspense>
      <Cohorts home={home} />
    </div>
  );
}

/** Before there are figures: nothing yet, or a demo company on its way; without the right to load one nobody asks. */
function useBeginning(home: Home | undefined) {
  const mayLoad = useCan()('system.manage');
  const { data: demo } = useQuery({ ...demoQuery(), enabled: mayLoad });
  useFreshAfterDemo(demo);
  const empty = home !== undefined && home.customers.total === 0 && home.orders.count === 0;
  return { demo, empty, loading: demo !== undefined && isDemoBusy(demo) };
}

export function HomePage() {
  const { t } = useTranslation('home');
  const navigate = useNavigate();
  const { days = 30 } = useSearch({ strict: false }) as { days?: HomeDays };
  const mayRead = useCan()('report.read');
  const { data, error, isPlaceholderData, refetch } = useQuery({ ...homeQuery(days), enabled: mayRead });
  const { demo, empty, loading } = useBeginning(data);
  const filled = data !== undefined && !empty && !loading;
  return (
    <Page
      title={t('home:title')}
      heading={<span>{t('home:title')}</span>}
      actions={
        filled && (
          <SegmentedControl
            label={t('home:range')}
            value={String(days)}
            onChange={(next) => {
              const chosen = Number(next) as HomeDays;
              navigate({ to: '/', search: chosen === 30 ? {} : { days: chosen }, replace: true });
            }}
            options={SPANS.map((span) => ({ value: String(span), label: t(`home:span.${span}`) }))}
          />
        )
      }
    >
      <Greeting home={data} stamp={filled} />
      {loading && <DemoLoading state={demo as DemoState} />}
      {!mayRead && <OwnLists />}
      {mayRead && !loading && data === undefined && error === null && <Bones />}
      {!loading && data === undefined && error !== null && <ErrorState error={error} onRetry={() => refetch()} />}
      {!loading && empty && <EmptyHome demo={demo} />}
      {filled && demo?.phase === 'failed' && <DemoBroken state={demo} />}
      {filled && <Figures home={data} days={days} dim={isPlaceholderData} />}
    </Page>
  );
}
