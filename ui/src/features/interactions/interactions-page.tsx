import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type InteractionAsk, type InteractionOverview, interactionsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { addDays, daysBetween } from '@/lib/day';
import { useCan } from '@/metadata';
import {
  ButtonLink,
  Closed,
  DateRangePicker,
  EmptyState,
  ErrorState,
  Page,
  SegmentedControl,
  Select,
  SkeletonRows,
} from '@/ui';
import { Figure, Figures, Halves, Stack, Toolbar } from '@/ui/figures';
import { Contents } from './contents';
import { Deeds } from './deeds';
import { Groups, Weeks } from './groups';
import css from './interactions.module.css';
import { Sharers } from './sharers';
import { useOptions } from './words';

const SPANS = [30, 90, 180, 365] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SHOWN = 50;

interface Search {
  days?: number;
  from?: string;
  to?: string;
  platform?: string;
  kind?: string;
}

/** What is asked stands in the address. */
function useAsk() {
  const raw = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const today = useFormat().today();
  return useMemo(() => {
    const own = DAY.test(raw.from ?? '') && DAY.test(raw.to ?? '') && (raw.from ?? '') <= (raw.to ?? '');
    const days = own ? undefined : Math.min(Math.max(raw.days ?? 90, 1), 731);
    const to = own ? (raw.to as string) : today;
    const ask: InteractionAsk = {
      from: own ? (raw.from as string) : addDays(today, 1 - (days ?? 90)),
      to,
      platform: raw.platform ?? '',
      kind: raw.kind ?? '',
      limit: SHOWN,
    };
    const go = (change: { [K in keyof Search]: Search[K] | undefined }) => {
      const next = Object.fromEntries(
        Object.entries({ ...raw, ...change }).filter(([, value]) => value !== undefined && value !== ''),
      );
      navigate({ to: '/interactions', search: next, replace: true, resetScroll: false });
    };
    return { ask, days, go };
  }, [raw, navigate, today]);
}

function Filters({ ask, days, go }: ReturnType<typeof useAsk>) {
  const { t } = useTranslation('interactions');
  const options = useOptions();
  return (
    <Toolbar>
      <SegmentedControl
        label={t('interactions:span')}
        value={days === undefined ? 'own' : String(days)}
        onChange={(next) =>
          next === 'own'
            ? go({ days: undefined, from: ask.from, to: ask.to })
            : go({ days: Number(next), from: undefined, to: undefined })
        }
        options={[
          ...SPANS.map((span) => ({ value: String(span), label: t(`interactions:spans.${span}`) })),
          { value: 'own', label: t('interactions:spans.own') },
        ]}
      />
      {days === undefined && (
        <DateRangePicker
          aria-label={t('interactions:span')}
          value={[ask.from, ask.to]}
          onChange={([from, to]) => from !== null && to !== null && go({ days: undefined, from, to })}
        />
      )}
      {(['platform', 'kind'] as const).map((field) => (
        <div key={field} className={css.choice}>
          <Select
            aria-label={t(`interactions:${field}`)}
            clearable
            placeholder={t(`interactions:any.${field}`)}
            value={ask[field] === '' ? null : ask[field]}
            onChange={(next) => go({ [field]: next ?? undefined })}
            options={options(field)}
          />
        </div>
      ))}
    </Toolbar>
  );
}

function Cards({ all }: { all: InteractionOverview['all'] }) {
  const { t } = useTranslation('interactions');
  const fmt = useFormat();
  const cards = [
    ['contents', fmt.number(all.contents)],
    ['seen', fmt.number(all.seen)],
    ['interactions', fmt.number(all.interactions)],
    ['rate', all.seen === 0 ? '\u2013' : fmt.percent(all.interactions / all.seen, 2)],
  ] as const;
  return (
    <Figures>
      {cards.map(([key, value]) => (
        <Figure key={key} name={t(`interactions:term.${key}`)} value={value} note={t(`interactions:means.${key}`)} />
      ))}
    </Figures>
  );
}

function Report() {
  const { t } = useTranslation('interactions');
  const asked = useAsk();
  const { ask } = asked;
  const answer = useQuery(interactionsQuery(ask));
  const data = answer.data;
  if (data === undefined)
    return answer.isError ? (
      <ErrorState error={answer.error} onRetry={() => answer.refetch()} />
    ) : (
      <SkeletonRows rows={8} />
    );
  return (
    <Stack dim={answer.isPlaceholderData}>
      <Filters {...asked} />
      {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      {data.all.contents === 0 ? (
        <EmptyState
          cause={ask.platform === '' && ask.kind === '' ? 'none' : 'no_match'}
          title={t('interactions:empty.title')}
          text={t('interactions:empty.text')}
          actions={
            <ButtonLink to="/o/$object" params={{ object: 'content' }} kind="primary">
              {t('interactions:empty.begin')}
            </ButtonLink>
          }
        />
      ) : (
        <>
          <Cards all={data.all} />
          <Weeks weeks={data.weeks} />
          <Halves>
            <Groups field="platform" groups={data.platforms} onPick={(platform) => asked.go({ platform })} />
            <Groups field="kind" groups={data.kinds} onPick={(kind) => asked.go({ kind })} />
          </Halves>
          <Contents list={data.contents} total={data.all.contents} />
        </>
      )}
      <Sharers />
      <Deeds deeds={data.deeds} days={daysBetween(ask.from, ask.to) + 1} />
    </Stack>
  );
}

/** What people do with what the company publishes, and what happens off the web. */
export function InteractionsPage() {
  const { t } = useTranslation('interactions');
  const allowed = useCan()('web.read');
  return <Page title={t('interactions:title')}>{allowed ? <Report /> : <Closed cause="no_permission" />}</Page>;
}
