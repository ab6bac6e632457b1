import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { valueQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Closed, EmptyState, ErrorState, Page, SkeletonRows, Tabs } from '@/ui';
import { Stack } from '@/ui/figures';
import { Overview } from './overview';

const Profit = lazy(() => import('./profit').then((module) => ({ default: module.Profit })));
const Migration = lazy(() => import('./migration').then((module) => ({ default: module.Migration })));

const TABS = ['overview', 'profit', 'moves'] as const;
type Tab = (typeof TABS)[number];

function Nothing() {
  const { t } = useTranslation('value');
  return (
    <EmptyState
      cause="none"
      title={t('value:empty.title')}
      text={t('value:empty.text')}
      actions={
        <ButtonLink kind="primary" to="/models/$key" params={{ key: 'value' }}>
          {t('value:empty.model')}
        </ButtonLink>
      }
    />
  );
}

function Report() {
  const { t } = useTranslation('value');
  const search = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(valueQuery());
  const tab = TABS.find((one) => one === search.tab) ?? 'overview';
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  const parts = {
    overview: data.all.customers === 0 ? <Nothing /> : <Overview data={data} />,
    profit: <Profit anchor={data.anchor} />,
    moves: <Migration anchor={data.anchor} />,
  };
  return (
    <Stack>
      <Tabs<Tab>
        label={t('value:title')}
        value={tab}
        onChange={(next) =>
          navigate({ to: '/value', search: next === 'overview' ? {} : { tab: next }, resetScroll: false })
        }
        items={TABS.map((value) => ({ value, label: t(`value:tab.${value}`) }))}
      />
      <Suspense fallback={<SkeletonRows rows={8} />}>{parts[tab]}</Suspense>
    </Stack>
  );
}

/** What customers are worth, what they left, and how they moved. */
export function ValuePage() {
  const { t } = useTranslation('value');
  const allowed = useCan()('report.read');
  return <Page title={t('value:title')}>{allowed ? <Report /> : <Closed cause="no_permission" />}</Page>;
}
