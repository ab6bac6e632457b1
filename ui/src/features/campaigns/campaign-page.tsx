import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { campaignQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { BackLink, Closed, ErrorState, Page, SkeletonRows } from '@/ui';
import { CampaignEdit, emptyPlan } from './campaign-edit';
import { CampaignReport } from './campaign-report';

/** A draft is edited, anything else is looked at. */
export function CampaignPage() {
  const { t } = useTranslation('campaigns');
  const { id } = useParams({ strict: false }) as { id: string };
  const can = useCan();
  const fresh = id === 'new';
  const { data, error, refetch } = useQuery({ ...campaignQuery(id), enabled: !fresh && can('campaign.read') });
  const back = <BackLink to="/campaigns" label={t('campaigns:back')} />;
  if (!can(fresh ? 'campaign.write' : 'campaign.read'))
    return (
      <Page title={t('campaigns:title')} back={back}>
        <Closed cause="no_permission" />
      </Page>
    );
  if (fresh) return <CampaignEdit key="new" plan={emptyPlan()} back={back} />;
  if (data === undefined)
    return (
      <Page title={t('campaigns:title')} back={back}>
        {error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />}
      </Page>
    );
  if (data.status === 'draft') return <CampaignEdit key={data.id} campaign={data} plan={data.plan} back={back} />;
  return <CampaignReport campaign={data} back={back} />;
}
