import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { EmptyState, Tabs } from '@/ui';
import { ErasuresPart } from './erasures';
import { KeysPart } from './keys';
import { RequestsPart } from './requests';
import { RetentionPart } from './retention';
import { RevealsPart } from './reveals';
import { RulesPart } from './rules';

const TABS = ['requests', 'erasures', 'retention', 'rules', 'reveals', 'keys'] as const;
type Tab = (typeof TABS)[number];

/** Requests of people, erasures with their proof, rules of retention, and what the workspace decided. */
export function PrivacyPage() {
  const { t } = useTranslation('privacy');
  const can = useCan();
  const allowed = can('privacy.manage');
  const { tab } = useSearch({ strict: false });
  const navigate = useNavigate();
  const shown: Tab = TABS.find((each) => each === tab) ?? 'requests';
  if (!allowed) return <EmptyState cause="no_permission" />;
  return (
    <Tabs<Tab>
      label={t('privacy:title')}
      value={shown}
      onChange={(next) => navigate({ to: '/settings/privacy', search: { tab: next }, replace: true })}
      items={[
        { value: 'requests', label: t('privacy:tab.requests'), content: <RequestsPart /> },
        { value: 'erasures', label: t('privacy:tab.erasures'), content: <ErasuresPart /> },
        { value: 'retention', label: t('privacy:tab.retention'), content: <RetentionPart /> },
        { value: 'rules', label: t('privacy:tab.rules'), content: <RulesPart /> },
        ...(can('audit.read')
          ? [{ value: 'reveals' as const, label: t('privacy:tab.reveals'), content: <RevealsPart /> }]
          : []),
        ...(can('system.manage')
          ? [{ value: 'keys' as const, label: t('privacy:tab.keys'), content: <KeysPart /> }]
          : []),
      ]}
    />
  );
}
