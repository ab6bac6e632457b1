import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { segmentQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { BackLink, ErrorState, Page, SkeletonRows } from '@/ui';
import { SegmentDetail } from './detail';
import { EditSegment } from './edit';

export function SegmentPage() {
  const { t } = useTranslation('segments');
  const { key = '' } = useParams({ strict: false });
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const can = useCan();
  const { data, error, isPending, refetch } = useQuery(segmentQuery(key));
  if (data !== undefined && tab === 'edit' && can('segment.write')) return <EditSegment key={key} segment={data} />;
  if (data !== undefined) return <SegmentDetail key={key} segment={data} />;
  return (
    <Page title={t('segments:title')} back={<BackLink to="/segments" label={t('segments:backToList')} />}>
      {isPending ? <SkeletonRows /> : <ErrorState error={error} onRetry={() => refetch()} />}
    </Page>
  );
}
