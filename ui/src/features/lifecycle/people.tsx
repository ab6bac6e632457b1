import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type StageBehind, stagePeopleQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Drawer, EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './lifecycle.module.css';

export interface Who {
  title: string;
  behind: StageBehind;
}

/** The customers behind a figure whom the reader may see. */
export function People({ classification, who, onClose }: { classification: string; who: Who; onClose: () => void }) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    stagePeopleQuery(classification, who.behind),
  );
  const people = data?.pages.flatMap((page) => page.items) ?? [];
  const total = data?.pages[0]?.total ?? null;
  return (
    <Drawer opened onClose={onClose} title={who.title} size={460}>
      <div className={css.people}>
        {total !== null && (
          <p role="status">{t('lifecycle:peopleCount', { count: total, shown: fmt.number(total) })}</p>
        )}
        {data === undefined && error === null && <SkeletonRows rows={6} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && people.length === 0 && (
          <EmptyState compact cause="no_match" title={t('lifecycle:nobody')} text={t('lifecycle:nobodyText')} />
        )}
        <ul className={css.list}>
          {people.map((one) => (
            <li key={one.id} className={css.person}>
              <Link to="/o/$object/$id" params={{ object: 'customer', id: one.id }}>
                {one.title || one.id}
              </Link>
              <span className="muted">{one.subtitle}</span>
            </li>
          ))}
        </ul>
        {hasNextPage && (
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('lifecycle:more')}
          </Button>
        )}
      </div>
    </Drawer>
  );
}
