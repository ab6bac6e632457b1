import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ConsentPolicy, consentClaimsQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { Claim } from '@/records/consent/claims';
import { Button, EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './consent-settings.module.css';

/** Refusals in the name of customers that nobody proved, of everybody whom the reader may change. */
export function Claims({ policy }: { policy: ConsentPolicy }) {
  const { t } = useTranslation('consent');
  const answer = useInfiniteQuery(consentClaimsQuery());
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.isPending) return <SkeletonRows rows={6} />;
  const items = answer.data.pages.flatMap((page) => page.items);
  if (items.length === 0 && !answer.hasNextPage)
    return <EmptyState cause="none" title={t('consent:claims.none')} text={t('consent:claims.noneText')} />;
  return (
    <>
      <p className="muted">{t('consent:claims.lead')}</p>
      <ul className={css.claims} aria-label={t('consent:claims.title')}>
        {items.map(({ customer, entry }) => (
          <Claim
            key={entry.id}
            customer={customer.id}
            entry={entry}
            policy={policy}
            may
            who={
              <Link to="/o/$object/$id" params={{ object: 'customer', id: customer.id }} search={{ tab: 'consent' }}>
                {customer.title || customer.id}
              </Link>
            }
          />
        ))}
      </ul>
      {answer.hasNextPage && (
        <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
          {t('consent:claims.more')}
        </Button>
      )}
    </>
  );
}
