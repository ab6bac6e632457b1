import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { EmptyState, Page, Tabs } from '@/ui';
import { LivePart } from './live';
import { NamesPart } from './names';
import { PlanPart } from './plan';
import { RejectedPart } from './rejected';

const TABS = ['live', 'names', 'plan', 'rejected'] as const;
export type EventsTab = (typeof TABS)[number];

/** What comes in, what is known of it, what it should be, and what was not taken. */
export function EventsPage() {
  const { t } = useTranslation('tracking');
  const can = useCan();
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const shown: EventsTab = TABS.find((each) => each === tab) ?? 'live';
  if (!can('event.read')) return <EmptyState cause="no_permission" />;
  return (
    <Page title={t('tracking:title')}>
      <Tabs<EventsTab>
        label={t('tracking:title')}
        value={shown}
        onChange={(next) => navigate({ to: '/events', search: { tab: next }, replace: true })}
        items={[
          { value: 'live', label: t('tracking:tab.live'), content: <LivePart /> },
          { value: 'names', label: t('tracking:tab.names'), content: <NamesPart /> },
          { value: 'plan', label: t('tracking:tab.plan'), content: <PlanPart /> },
          { value: 'rejected', label: t('tracking:tab.rejected'), content: <RejectedPart /> },
        ]}
      />
    </Page>
  );
}
