import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Closed, Page, Tabs } from '@/ui';
import { Outlook } from './outlook';
import { Watches } from './watches';
import { WhyPart } from './why';

const TABS = ['outlook', 'why', 'watch'] as const;
type Tab = (typeof TABS)[number];

/** How figures go on, and why they changed. */
export function ForecastPage() {
  const { t } = useTranslation('forecast');
  const can = useCan();
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const shown: Tab = TABS.find((each) => each === tab) ?? 'outlook';
  return (
    <Page title={t('forecast:title')}>
      {can('report.read') ? (
        <Tabs<Tab>
          label={t('forecast:title')}
          value={shown}
          onChange={(next) =>
            navigate({ to: '/forecast', search: next === 'outlook' ? {} : { tab: next }, replace: true })
          }
          items={[
            { value: 'outlook', label: t('forecast:tab.outlook'), content: <Outlook /> },
            { value: 'why', label: t('forecast:tab.why'), content: <WhyPart /> },
            { value: 'watch', label: t('forecast:tab.watch'), content: <Watches /> },
          ]}
        />
      ) : (
        <Closed cause="no_permission" />
      )}
    </Page>
  );
}
