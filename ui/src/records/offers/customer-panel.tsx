import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { customerCouponsQuery, errorText, offersQuery, type RecordData, useIssueCodes } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, EmptyState, ErrorState, Select, SkeletonRows, toast } from '@/ui';
import { Coupons } from './coupons';
import css from './coupons.module.css';

/** The coupons of a customer, and giving another one. */
export function CustomerCouponsPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation(['offers', 'common']);
  const can = useCan();
  const answer = useInfiniteQuery(customerCouponsQuery(record.id));
  const offers = useQuery(offersQuery()).data?.items ?? [];
  const issue = useIssueCodes();
  const [chosen, setChosen] = useState<string | null>(null);
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={5} />;
  const rows = answer.data.pages.flatMap((page) => page.items);
  const open = offers.filter((one) => one.status === 'active');
  const give = () => {
    if (chosen === null) return;
    issue.mutate(
      { id: chosen, customers: [record.id] },
      {
        onSuccess: (got) => toast.ok(t('offers:give.done', { code: got.items[0]?.code ?? '' })),
        onError: (error) => toast.error(errorText(error)),
      },
    );
  };
  return (
    <>
      {can('offer.write') && record.deleted_at === null && open.length > 0 && (
        <div className={css.bar}>
          <Select
            label={t('offers:give.title')}
            value={chosen}
            onChange={setChosen}
            options={open.map((one) => ({ value: one.id, label: one.name }))}
            clearable
          />
          <Button disabled={chosen === null} loading={issue.isPending} onClick={give}>
            {t('offers:give.do')}
          </Button>
        </div>
      )}
      {rows.length === 0 ? (
        <EmptyState compact cause="none" title={t('offers:give.none')} text={t('offers:give.noneText')} />
      ) : (
        <Coupons
          rows={rows}
          between={{
            key: 'offer',
            label: t('offers:offer'),
            cell: (row) => (
              <Link to="/offers/$id" params={{ id: row.offer }}>
                {offers.find((one) => one.id === row.offer)?.name ?? t('offers:offer')}
              </Link>
            ),
          }}
        />
      )}
      {answer.hasNextPage && (
        <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
          {t('offers:more')}
        </Button>
      )}
    </>
  );
}
