import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { classificationsQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { BackLink, Closed, ErrorState, Page, SkeletonRows } from '@/ui';
import { ClassificationEditor } from './editor';

export function ClassificationPage() {
  const { t } = useTranslation('classifications');
  const { key = '' } = useParams({ strict: false });
  const { data, error, isPending, refetch } = useQuery(classificationsQuery());
  const found = data?.items.find((each) => each.key === key);
  if (found !== undefined) return <ClassificationEditor key={key} classification={found} />;
  return (
    <Page
      title={t('classifications:title')}
      back={<BackLink to="/classifications" label={t('classifications:back')} />}
    >
      {isPending && <SkeletonRows />}
      {error !== null && <ErrorState error={error} onRetry={() => refetch()} />}
      {data !== undefined && <Closed cause="not_found" />}
    </Page>
  );
}
