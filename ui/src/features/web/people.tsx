import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type WebAsk, type WebVisitor, webPeopleQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Drawer, EmptyState, ErrorState, SegmentedControl, SkeletonRows } from '@/ui';
import { useWeb, type Who } from './search';
import css from './web.module.css';
import { useNumbers, useValueName } from './words';

function useTitle(who: Who): string {
  const { t } = useTranslation('web');
  const { behind } = who;
  const only = behind.only ?? 'all';
  const key = behind.figure === 'visits' ? `visits.${only}` : behind.figure;
  return t(`web:who.${key}`, {
    page: behind.path ?? '',
    event: behind.event ?? '',
    step: behind.step ?? 0,
    context: behind.lost === true ? 'lost' : undefined,
    from: behind.from || t('web:unknown'),
    to: behind.ended === true ? t('web:ended') : behind.to || t('web:unknown'),
    cohort: behind.cohort ?? '',
  });
}

function Unknown({ visitor }: { visitor: WebVisitor }) {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  const name = useValueName();
  const facts = [
    name('channel', visitor.channel),
    name('device', visitor.device),
    ...(visitor.region === '' && visitor.country === '' ? [] : [visitor.region || visitor.country]),
  ];
  return (
    <li className={css.person}>
      <span>{t('web:visitorNo', { number: visitor.id.slice(-6).toUpperCase() })}</span>
      <span className="muted">
        {t('web:visitorVisits', { count: visitor.visits, shown: fmt.number(visitor.visits) })}
        {visitor.last_at !== null && ` \u00b7 ${t('web:lastSeen', { when: fmt.datetime(visitor.last_at) })}`}
        {` \u00b7 ${facts.join(' \u00b7 ')}`}
      </span>
    </li>
  );
}

/** The people behind a figure: customers the reader may see, and visitors whom nobody knows. */
export function People({ who }: { who: Who }) {
  const { t } = useTranslation(['web', 'common']);
  const { number } = useNumbers();
  const { ask, go } = useWeb();
  const title = useTitle(who);
  const [anonymous, setAnonymous] = useState(false);
  const narrow: WebAsk = {
    from: who.from ?? ask.from,
    to: who.to ?? ask.to,
    filter: who.filter ?? ask.filter,
    goal: who.goal ?? ask.goal,
  };
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    webPeopleQuery(narrow, who.behind, anonymous),
  );
  const first = data?.pages[0];
  const customers = data?.pages.flatMap((page) => page.items) ?? [];
  const visitors = data?.pages.flatMap((page) => page.visitors) ?? [];
  const empty = data !== undefined && customers.length === 0 && visitors.length === 0;
  return (
    <Drawer opened onClose={() => go({ who: undefined })} title={title} size={460}>
      <div className={css.people}>
        {first?.customers != null && (
          <p role="status">
            {t('web:peopleCount', { customers: number(first.customers), visitors: number(first.anonymous ?? 0) })}
          </p>
        )}
        <SegmentedControl
          label={t('web:whichPeople')}
          value={anonymous ? 'anonymous' : 'customers'}
          onChange={(next) => setAnonymous(next === 'anonymous')}
          options={[
            { value: 'customers', label: t('web:customers') },
            { value: 'anonymous', label: t('web:anonymous') },
          ]}
        />
        {data === undefined && error === null && <SkeletonRows rows={6} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {first?.closed === true && <EmptyState compact cause="no_permission" text={t('web:closed')} />}
        {empty && first?.closed !== true && (
          <EmptyState compact cause="no_match" title={t('web:nobodyShown')} text={t('web:nobodyShownText')} />
        )}
        <ul className={css.list}>
          {customers.map((one) => (
            <li key={one.id} className={css.person}>
              <Link to="/o/$object/$id" params={{ object: 'customer', id: one.id }}>
                {one.title || one.id}
              </Link>
              <span className="muted">{one.subtitle}</span>
            </li>
          ))}
          {visitors.map((one) => (
            <Unknown key={one.id} visitor={one} />
          ))}
        </ul>
        {hasNextPage && (
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('web:morePeople')}
          </Button>
        )}
      </div>
    </Drawer>
  );
}
