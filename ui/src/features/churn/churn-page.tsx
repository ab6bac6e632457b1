import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { churnQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Closed, EmptyState, ErrorState, Page, SkeletonRows, Tabs } from '@/ui';
import { Stack } from '@/ui/figures';
import { Overview } from './overview';

const Survival = lazy(() => import('./survival').then((module) => ({ default: module.Survival })));
const Definition = lazy(() => import('./definition').then((module) => ({ default: module.Definition })));
const Rules = lazy(() => import('./rules').then((module) => ({ default: module.Rules })));
const Reasons = lazy(() => import('./reasons').then((module) => ({ default: module.Reasons })));

const TABS = ['overview', 'survival', 'reasons', 'rules', 'definition'] as const;
type Tab = (typeof TABS)[number];

function First() {
  const { t } = useTranslation('churn');
  const { data, error, refetch } = useQuery(churnQuery());
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  if (data.ready) return <Overview data={data} />;
  return (
    <EmptyState
      cause="none"
      title={t('churn:empty.title')}
      text={t('churn:empty.text')}
      actions={
        <ButtonLink kind="primary" to="/models/$key" params={{ key: 'churn' }}>
          {t('churn:empty.model')}
        </ButtonLink>
      }
    />
  );
}

const PARTS: Record<Tab, () => React.ReactNode> = {
  overview: () => <First />,
  survival: () => <Survival />,
  reasons: () => <Reasons />,
  rules: () => <Rules />,
  definition: () => <Definition />,
};

function Report() {
  const { t } = useTranslation('churn');
  const search = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const can = useCan();
  // Rules and the definition are read by whoever reads segments and models.
  const tabs = TABS.filter((one) => (one !== 'rules' && one !== 'definition') || can('segment.read'));
  const tab = tabs.find((one) => one === search.tab) ?? 'overview';
  return (
    <Stack>
      <Tabs<Tab>
        label={t('churn:title')}
        value={tab}
        onChange={(next) =>
          navigate({ to: '/churn', search: next === 'overview' ? {} : { tab: next }, resetScroll: false })
        }
        items={tabs.map((value) => ({ value, label: t(`churn:tab.${value}`) }))}
      />
      <Suspense fallback={<SkeletonRows rows={8} />}>{PARTS[tab]()}</Suspense>
    </Stack>
  );
}

/** Who is leaving, how long customers last, why, and who looks after them. */
export function ChurnPage() {
  const { t } = useTranslation('churn');
  const allowed = useCan()('report.read');
  return <Page title={t('churn:title')}>{allowed ? <Report /> : <Closed cause="no_permission" />}</Page>;
}
