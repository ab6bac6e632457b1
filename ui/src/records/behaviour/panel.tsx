import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type BehavedVisit, type BehaviourFigures, behaviourQuery, profileQuery, type RecordData } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonLink, EmptyState, ErrorState, Pill, SegmentedControl, SkeletonRows } from '@/ui';
import { ActList, useSay } from './acts';
import css from './behaviour.module.css';
import { Summary } from './summary';
import { useChannel } from './words';

const FILTERS = ['all', 'onlyPages', 'onlyActs'] as const;
type Filter = (typeof FILTERS)[number];

const MINUTE = 60_000;

/** What a customer did: everything in figures, then visit by visit, newest first. */
export function BehaviourPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation('profile');
  const can = useCan();
  const [filter, setFilter] = useState<Filter>('all');
  const figures: BehaviourFigures | null | undefined = useQuery(profileQuery(record.id)).data?.behaviour;
  const answer = useInfiniteQuery(behaviourQuery(record.id));
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={6} />;
  const visits = answer.data.pages.flatMap((page) => page.visits);
  if (visits.length === 0)
    return (
      <EmptyState
        cause="none"
        title={t('profile:behaved.none')}
        text={t('profile:behaved.noneText')}
        actions={
          can('source.manage') ? (
            <ButtonLink to="/settings/sources">{t('profile:behaved.sources')}</ButtonLink>
          ) : undefined
        }
        compact
      />
    );
  return (
    <div className={css.panel}>
      {figures && <Summary figures={figures} />}
      <section className={css.section}>
        <div className={css.head}>
          <h2 className={css.heading}>{t('profile:behaved.visitsOf')}</h2>
          <SegmentedControl
            label={t('profile:behaved.filter')}
            value={filter}
            onChange={setFilter}
            options={FILTERS.map((value) => ({ value, label: t(`profile:behaved.${value}`) }))}
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
              {t('profile:behaved.more')}
            </Button>
          </div>
        )}
      </section>
    </div>
  );
}

function Visit({ visit, filter }: { visit: BehavedVisit; filter: Filter }) {
  const { t } = useTranslation('profile');
  const fmt = useFormat();
  const say = useSay();
  const channel = useChannel();
  const shown = visit.acts.filter((act) => filter === 'all' || (act.kind === 'track') === (filter === 'onlyActs'));
  if (shown.length === 0) return null;
  const did = new Map<string, number>();
  for (const act of visit.acts) if (act.kind === 'track') did.set(say(act), (did.get(say(act)) ?? 0) + 1);
  const sentence = [
    ...(visit.views > 0 ? [t('profile:behaved.viewed', { count: visit.views })] : []),
    ...[...did].map(([what, count]) => (count > 1 ? t('profile:behaved.times', { what, count }) : what)),
  ];
  const minutes = Math.round(visit.engaged_ms / MINUTE);
  return (
    <li className={css.visit}>
      <details>
        <summary>
          <span className={css.sentence}>{sentence.slice(0, 4).join(' \u00b7 ')}</span>
          <span className={css.facts}>
            {visit.contact && <Pill color="gray">{visit.contact.title}</Pill>}
            {visit.channel && <Pill color="blue">{channel(visit.channel)}</Pill>}
            <span className={css.when}>
              {[visit.host, minutes > 0 ? t('profile:behaved.engaged', { minutes }) : '', fmt.datetime(visit.ended_at)]
                .filter(Boolean)
                .join(' \u00b7 ')}
            </span>
          </span>
        </summary>
        <ActList acts={shown} />
      </details>
    </li>
  );
}
