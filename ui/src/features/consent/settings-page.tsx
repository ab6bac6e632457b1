import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { consentPolicyQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ErrorState, SkeletonRows, Tabs } from '@/ui';
import { Categories } from './categories';
import { Claims } from './claims';
import css from './consent-settings.module.css';
import { Figures } from './figures';
import { Import } from './import';
import { Purposes } from './purposes';
import { Wordings } from './wordings';

const TABS = ['purposes', 'wordings', 'categories', 'claims', 'import', 'figures'] as const;
type Tab = (typeof TABS)[number];

/** Settings: purposes, the words of each version, categories of events, and where everybody stands. */
export function ConsentSettingsPage() {
  const { t } = useTranslation('consent');
  const can = useCan();
  const navigate = useNavigate();
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const answer = useQuery(consentPolicyQuery());
  const tabs = TABS.filter(
    (each) =>
      (each !== 'figures' || can('report.read')) && ((each !== 'claims' && each !== 'import') || can('consent.write')),
  );
  const shown: Tab = tabs.find((each) => each === tab) ?? 'purposes';
  const policy = answer.data;
  return (
    <div className={css.page}>
      <h2>{t('consent:title')}</h2>
      <p className="muted">{t('consent:settings.lead')}</p>
      <Tabs<Tab>
        label={t('consent:title')}
        value={shown}
        onChange={(next) => navigate({ to: '.', search: { tab: next } as never, replace: true })}
        items={tabs.map((value) => ({ value, label: t(`consent:settings.${value}`) }))}
      />
      {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={8} />}
      {policy !== undefined && shown === 'purposes' && <Purposes key={policy.version} policy={policy} />}
      {policy !== undefined && shown === 'wordings' && <Wordings policy={policy} />}
      {policy !== undefined && shown === 'categories' && <Categories key={policy.version} policy={policy} />}
      {policy !== undefined && shown === 'claims' && <Claims policy={policy} />}
      {policy !== undefined && shown === 'import' && <Import policy={policy} />}
      {policy !== undefined && shown === 'figures' && <Figures policy={policy} />}
    </div>
  );
}
