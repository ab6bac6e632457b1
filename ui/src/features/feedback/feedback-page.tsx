import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { figuresQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
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
import { type Ask, NARROW, SPANS, useAsk } from './ask';
import { Course } from './course';
import css from './feedback.module.css';
import { type Mood, moodOf, praise, sum } from './figures';
import { Sides } from './sides';
import { Topics } from './topics';
import { useFeedbackNames } from './words';

function Filters({ ask }: { ask: Ask }) {
  const { t } = useTranslation('feedback');
  const { options } = useFeedbackNames();
  const { days, from, to, raw, go } = ask;
  return (
    <Toolbar>
      <SegmentedControl
        label={t('feedback:span')}
        value={days === undefined ? 'own' : String(days)}
        onChange={(next) =>
          next === 'own'
            ? go({ days: undefined, from, to })
            : go({ days: Number(next), from: undefined, to: undefined })
        }
        options={[
          ...SPANS.map((span) => ({ value: String(span), label: t(`feedback:spans.${span}`) })),
          { value: 'own', label: t('feedback:spans.own') },
        ]}
      />
      {days === undefined && (
        <DateRangePicker
          aria-label={t('feedback:span')}
          value={[from, to]}
          onChange={([first, last]) =>
            first !== null && last !== null && go({ days: undefined, from: first, to: last })
          }
        />
      )}
      <div className={css.choice}>
        <Select
          aria-label={t('feedback:side.channel')}
          clearable
          placeholder={t('feedback:any')}
          value={raw.channel ?? null}
          onChange={(next) => go({ channel: next ?? undefined })}
          options={options('channel')}
        />
      </div>
    </Toolbar>
  );
}

interface ChangeProps {
  /** Null where there was nothing to compare with. */
  change: number | null;
  text: (change: number) => string;
  worse?: boolean;
}
function Change({ change, text, worse = false }: ChangeProps) {
  const { t } = useTranslation('feedback');
  if (change === null) return <span className={css.quiet}>{t('feedback:noBefore')}</span>;
  const tone = (worse ? change < 0 : change > 0) ? 'good' : 'bad';
  return (
    <span className={css.quiet}>
      <span className={css.tone} data-tone={Math.abs(change) < 0.0005 ? undefined : tone}>
        {change > 0 && '+'}
        {text(change)}
      </span>
      {t('feedback:versus')}
    </span>
  );
}
const relative = (now: number, before: number): number | null => (before === 0 ? null : now / before - 1);

function Cards({ ask, mood, before, rating }: { ask: Ask; mood: Mood; before: Mood; rating: number | null }) {
  const { t } = useTranslation('feedback');
  const fmt = useFormat();
  const share = praise(mood);
  const was = praise(before);
  const percent = (change: number) => fmt.percent(change, 1);
  return (
    <Figures>
      <Figure
        name={t('feedback:term.count')}
        value={fmt.number(sum(mood))}
        means={t('feedback:means.count')}
        change={<Change change={relative(sum(mood), sum(before))} text={percent} />}
      />
      <Figure
        name={t('feedback:term.praise')}
        value={share === null ? '\u2013' : fmt.percent(share, 1)}
        means={t('feedback:means.praise')}
        change={
          <Change
            change={share === null || was === null ? null : share - was}
            text={(change) => t('feedback:points', { points: fmt.number(change * 100, 1) })}
          />
        }
      />
      <Figure
        name={t('feedback:term.negative')}
        value={
          <Link
            className={css.figure}
            to="/o/$object"
            params={{ object: 'feedback' }}
            search={{ where: encodeCondition(ask.where({ field: 'sentiment', op: '=', value: 'negative' })) }}
          >
            {fmt.number(mood.negative)}
          </Link>
        }
        means={t('feedback:means.negative')}
        change={<Change worse change={relative(mood.negative, before.negative)} text={percent} />}
      />
      <Figure
        name={t('feedback:term.rating')}
        value={rating === null ? '\u2013' : fmt.number(rating, 2)}
        means={t('feedback:means.rating')}
        note={t('feedback:ratingNote')}
      />
    </Figures>
  );
}

function Report() {
  const { t } = useTranslation('feedback');
  const ask = useAsk();
  const sentiment = [{ field: 'sentiment' }];
  const rated = [{ func: 'avg' as const, field: 'rating' }];
  const answer = useQuery(figuresQuery('feedback', { where: ask.where(), group_by: sentiment, measures: rated }));
  const earlier = useQuery(figuresQuery('feedback', { where: ask.earlier(), group_by: sentiment }));
  const nothing = answer.data?.total.count === 0;
  const any = useQuery({ ...figuresQuery('feedback', {}), enabled: nothing });
  const error = answer.error ?? earlier.error ?? any.error;
  if (answer.data === undefined || earlier.data === undefined || (nothing && any.data === undefined))
    return error !== null ? (
      <ErrorState
        error={error}
        onRetry={() => Promise.all([answer, earlier, ...(nothing ? [any] : [])].map((one) => one.refetch()))}
      />
    ) : (
      <SkeletonRows rows={8} />
    );
  const mood = moodOf(answer.data);
  const rating = answer.data.total.measures[0];
  const narrow = NARROW.some((field) => ask.raw[field] !== undefined);
  const none = any.data?.total.count === 0;
  return (
    <Stack dim={answer.isPlaceholderData}>
      <Filters ask={ask} />
      {error !== null && <ErrorState compact error={error} onRetry={() => answer.refetch()} />}
      {sum(mood) === 0 ? (
        <EmptyState
          cause={none ? 'none' : 'no_match'}
          title={t(none ? 'feedback:empty.title' : 'feedback:empty.match')}
          text={t(none ? 'feedback:empty.text' : 'feedback:empty.matchText')}
          actions={
            none ? (
              <ButtonLink kind="primary" to="/o/$object" params={{ object: 'feedback' }}>
                {t('feedback:empty.begin')}
              </ButtonLink>
            ) : (
              narrow && (
                <ButtonLink kind="primary" to="/feedback" search={{ days: 365 } as never}>
                  {t('feedback:empty.wider')}
                </ButtonLink>
              )
            )
          }
        />
      ) : (
        <>
          <Cards
            ask={ask}
            mood={mood}
            before={moodOf(earlier.data)}
            rating={typeof rating === 'number' ? rating : null}
          />
          <Course ask={ask} />
          <Topics ask={ask} total={sum(mood)} />
          <Halves>
            <Sides ask={ask} field="channel" />
            <Sides ask={ask} field="product" />
          </Halves>
          <Sides ask={ask} field="store" />
        </>
      )}
    </Stack>
  );
}

/** What customers say: whether they praise or complain, of what, and where. */
export function FeedbackPage() {
  const { t } = useTranslation('feedback');
  const readable = useObject('feedback') !== undefined;
  return (
    <Page
      title={t('feedback:title')}
      actions={
        readable && (
          <ButtonLink to="/o/$object" params={{ object: 'feedback' }}>
            {t('feedback:list')}
          </ButtonLink>
        )
      }
    >
      {readable ? <Report /> : <Closed cause="no_permission" />}
    </Page>
  );
}
