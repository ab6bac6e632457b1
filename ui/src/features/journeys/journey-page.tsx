import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { journeyQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { BackLink, Closed, ErrorState, Page, SkeletonRows } from '@/ui';
import { emptyJourney } from './draft';
import { Editor } from './editor';

/** One journey: drawn, published, watched. */
export function JourneyPage() {
  const { t } = useTranslation('journeys');
  const { id } = useParams({ strict: false }) as { id: string };
  const can = useCan();
  const fresh = id === 'new';
  const { data, error, refetch } = useQuery({ ...journeyQuery(id), enabled: !fresh && can('campaign.read') });
  const back = <BackLink to="/journeys" label={t('journeys:back')} />;
  if (!can(fresh ? 'campaign.write' : 'campaign.read'))
    return (
      <Page title={t('journeys:title')} back={back}>
        <Closed cause="no_permission" />
      </Page>
    );
  if (fresh) return <Editor key="new" first={emptyJourney()} back={back} />;
  if (data === undefined)
    return (
      <Page title={t('journeys:title')} back={back}>
        {error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />}
      </Page>
    );
  return <Editor key={data.id} journey={data} first={data.draft} back={back} />;
}
