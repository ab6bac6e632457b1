import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type BehavedAct, type BehavedVisit, behaviourQuery, type RecordData } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, EmptyState, ErrorState, Pill, SegmentedControl, SkeletonRows } from '@/ui';
import css from './identity.module.css';

const FILTERS = ['all', 'onlyPages', 'onlyActs'] as const;
type Filter = (typeof FILTERS)[number];

/** Events that the specification of shops names; others are called as they are sent. */
const NAMES = [
  'Product Viewed',
  'Product Clicked',
  'Product Added',
  'Product Removed',
  'Product Added to Wishlist',
  'Products Searched',
  'Product List Viewed',
  'Cart Viewed',
  'Checkout Started',
  'Payment Info Entered',
  'Order Completed',
  'Order Cancelled',
  'Order Refunded',
  'Coupon Applied',
  'Product Shared',
  'Product Reviewed',
] as const;
type Known = (typeof NAMES)[number];
const isKnown = (name: string): name is Known => (NAMES as readonly string[]).includes(name);
const CHANNELS = ['direct', 'search', 'social', 'ads', 'email', 'referral', 'campaign', 'internal'] as const;
type Channel = (typeof CHANNELS)[number];
const isChannel = (name: string | undefined): name is Channel =>
  name !== undefined && (CHANNELS as readonly string[]).includes(name);

const MINUTE = 60_000;

/** What a customer did, by visits, newest first. */
export function BehaviourPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation('identities');
  const [filter, setFilter] = useState<Filter>('all');
  const answer = useInfiniteQuery(behaviourQuery(record.id));
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={6} />;
  const visits = answer.data.pages.flatMap((page) => page.visits);
  if (visits.length === 0)
    return (
      <EmptyState cause="none" title={t('identities:behaved.none')} text={t('identities:behaved.noneText')} compact />
    );
  return (
    <div className={css.section}>
      <div>
        <SegmentedControl
          label={t('identities:behaved.filter')}
          value={filter}
          onChange={setFilter}
          options={FILTERS.map((value) => ({ value, label: t(`identities:behaved.${value}`) }))}
        />
      </div>
      <ol className={css.log}>
        {visits.map((visit) => (
          <Visit key={visit.id} visit={visit} filter={filter} />
        ))}
      </ol>
      {answer.hasNextPage && (
        <div>
          <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
            {t('identities:behaved.more')}
          </Button>
        </div>
      )}
    </div>
  );
}

function useSay(): (act: BehavedAct) => string {
  const { t } = useTranslation('identities');
  return (act) => {
    if (act.kind !== 'track') return act.title || act.path || act.name;
    const name = isKnown(act.name)
      ? t(`identities:behaved.name.${act.name.replaceAll(' ', '_') as 'Product_Viewed'}`)
      : act.name;
    return act.about === undefined ? name : t('identities:behaved.did', { name, about: act.about });
  };
}

function Visit({ visit, filter }: { visit: BehavedVisit; filter: Filter }) {
  const { t } = useTranslation('identities');
  const fmt = useFormat();
  const say = useSay();
  const shown = visit.acts.filter((act) => filter === 'all' || (act.kind === 'track') === (filter === 'onlyActs'));
  if (shown.length === 0) return null;
  const did = new Map<string, number>();
  for (const act of visit.acts) if (act.kind === 'track') did.set(say(act), (did.get(say(act)) ?? 0) + 1);
  const sentence = [
    ...(visit.views > 0 ? [t('identities:behaved.pages', { count: visit.views })] : []),
    ...[...did].map(([what, count]) => (count > 1 ? t('identities:behaved.times', { what, count }) : what)),
  ];
  const minutes = Math.round(visit.engaged_ms / MINUTE);
  return (
    <li className={css.visit}>
      <details>
        <summary>
          <span className={css.sentence}>{sentence.slice(0, 4).join(' \u00b7 ')}</span>
          <span className={css.facts}>
            {isChannel(visit.channel) && <Pill color="blue">{t(`identities:behaved.channel.${visit.channel}`)}</Pill>}
            <span className={css.when}>
              {[
                visit.host,
                minutes > 0 ? t('identities:behaved.engaged', { minutes }) : '',
                fmt.datetime(visit.ended_at),
              ]
                .filter(Boolean)
                .join(' \u00b7 ')}
            </span>
          </span>
        </summary>
        <ol className={css.acts}>
          {shown.map((act, at) => (
            <li key={at}>
              <span>{say(act)}</span>
              <span className={css.when}>{fmt.datetime(act.at)}</span>
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}
