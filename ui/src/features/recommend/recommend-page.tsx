import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { recommendQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonAnchor, Closed, EmptyState, ErrorState, Page, SkeletonRows, Tabs } from '@/ui';
import { Stack } from '@/ui/figures';
import { Associations } from './associations';
import { Quality } from './quality';
import { RulesEditor } from './rules';

const TABS = ['quality', 'together', 'rules'] as const;
type Tab = (typeof TABS)[number];

function Report() {
  const { t } = useTranslation('recommend');
  const navigate = useNavigate();
  const { tab, product } = useSearch({ strict: false }) as { tab?: string; product?: string };
  const shown: Tab = TABS.find((each) => each === tab) ?? 'quality';
  const answer = useQuery(recommendQuery());
  const data = answer.data;
  if (data === undefined)
    return answer.isError ? (
      <ErrorState error={answer.error} onRetry={() => answer.refetch()} />
    ) : (
      <SkeletonRows rows={8} />
    );
  const untaught = (
    <EmptyState
      cause="none"
      title={t('recommend:page.untaught')}
      text={t('recommend:page.untaughtText')}
      actions={
        <ButtonAnchor href="/models/recommend" kind="primary">
          {t('recommend:page.toModel')}
        </ButtonAnchor>
      }
    />
  );
  return (
    <Stack>
      <Tabs<Tab>
        label={t('recommend:title')}
        value={shown}
        onChange={(next) => navigate({ to: '/recommend', search: { tab: next } as never, replace: true })}
        items={TABS.map((value) => ({ value, label: t(`recommend:tab.${value}`) }))}
      />
      {shown === 'quality' && (data.version === 0 ? untaught : <Quality data={data} />)}
      {shown === 'together' && (data.version === 0 ? untaught : <Associations product={product} />)}
      {shown === 'rules' && <RulesEditor overview={data} />}
    </Stack>
  );
}

/** How good recommendations are, what is bought together, and what the business lets be shown. */
export function RecommendPage() {
  const { t } = useTranslation('recommend');
  const allowed = useCan()('segment.read');
  return <Page title={t('recommend:title')}>{allowed ? <Report /> : <Closed cause="no_permission" />}</Page>;
}
