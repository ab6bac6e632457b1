import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { FORECAST_DIMENSIONS, WHY_FIGURES, type Why, type WhyAsk, whyQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { addDays, daysBetween } from '@/lib/day';
import { DateRangePicker, EmptyState, ErrorState, Panel, SegmentedControl, Select, SkeletonRows } from '@/ui';
import { Figure, Stack, Toolbar } from '@/ui/figures';
import { shareOf, useFigure } from './figures';
import css from './forecast.module.css';
import { SplitTable } from './why-split';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SPANS = ['7', '30', '90', '365'] as const;

/** What is asked stands in the address. */
function useWhy() {
  const raw = useSearch({ strict: false }) as Record<string, string | undefined>;
  const navigate = useNavigate();
  const day = (key: string) => (DAY.test(raw[key] ?? '') ? (raw[key] as string) : '');
  const dimension = (key: string) => FORECAST_DIMENSIONS.find((one) => one === raw[key]) ?? '';
  const first = dimension('first');
  const second = dimension('second');
  const ask: WhyAsk = {
    figure: WHY_FIGURES.find((one) => one === raw.figure) ?? 'revenue',
    from: day('from'),
    to: day('to'),
    before_from: day('before_from'),
    before_to: day('before_to'),
    first: first !== '' && second !== '' && first !== second ? first : '',
    second: first !== '' && second !== '' && first !== second ? second : '',
  };
  const go = (change: Record<string, string | undefined>) => {
    const next = Object.fromEntries(Object.entries({ ...raw, ...change }).filter(([, value]) => value !== undefined));
    navigate({ to: '/forecast', search: next, replace: true, resetScroll: false });
  };
  return { ask, by: raw.by, first, second, go };
}

type Asked = ReturnType<typeof useWhy>;

function Filters({ ask, go, data }: Asked & { data: Why }) {
  const { t } = useTranslation('forecast');
  const days = daysBetween(data.from, data.to) + 1;
  const preset = data.to === data.anchor ? SPANS.find((span) => Number(span) === days) : undefined;
  const previous =
    data.before_to === addDays(data.from, -1) && daysBetween(data.before_from, data.before_to) + 1 === days;
  const year = data.before_from === addDays(data.from, -364) && data.before_to === addDays(data.to, -364);
  const against = (from: string, to: string, back: number) => ({
    from,
    to,
    before_from: addDays(from, -back),
    before_to: addDays(to, -back),
  });
  const span = daysBetween(data.from, data.to) + 1;
  const shifted = year ? 'year' : 'own';
  const other = previous ? 'previous' : shifted;
  return (
    <Toolbar>
      <SegmentedControl
        label={t('forecast:figureLabel')}
        value={ask.figure}
        onChange={(figure) => go({ figure })}
        options={WHY_FIGURES.map((key) => ({ value: key, label: t(`forecast:figure.${key}`) }))}
      />
      <SegmentedControl
        label={t('forecast:why.span')}
        value={preset ?? 'own'}
        onChange={(next) => {
          if (next === 'own')
            return go({
              from: data.from,
              to: addDays(data.to, -1),
              before_from: data.before_from,
              before_to: data.before_to,
            });
          const from = addDays(data.anchor, 1 - Number(next));
          go(against(from, data.anchor, other === 'year' ? 364 : Number(next)));
        }}
        options={[
          ...SPANS.map((key) => ({ value: key as string, label: t(`forecast:why.spans.${key}`) })),
          { value: 'own', label: t('forecast:why.spans.own') },
        ]}
      />
      <SegmentedControl
        label={t('forecast:why.against')}
        value={other}
        onChange={(next) => {
          if (next === 'previous') go(against(data.from, data.to, span));
          if (next === 'year') go(against(data.from, data.to, 364));
          if (next === 'own')
            go({
              from: data.from,
              to: data.to,
              before_from: addDays(data.before_from, -1),
              before_to: addDays(data.before_to, -1),
            });
        }}
        options={['previous', 'year', 'own'].map((key) => ({ value: key, label: t(`forecast:why.other.${key}`) }))}
      />
      {preset === undefined && (
        <DateRangePicker
          aria-label={t('forecast:why.span')}
          value={[data.from, data.to]}
          onChange={([from, to]) =>
            from !== null && to !== null && go({ from, to, before_from: data.before_from, before_to: data.before_to })
          }
        />
      )}
      {other === 'own' && (
        <DateRangePicker
          aria-label={t('forecast:why.against')}
          value={[data.before_from, data.before_to]}
          onChange={([from, to]) =>
            from !== null && to !== null && go({ from: data.from, to: data.to, before_from: from, before_to: to })
          }
        />
      )}
    </Toolbar>
  );
}

/** The change in one sentence: how much, by what, and where. */
function Sentence({ data }: { data: Why }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const { text, signed } = useFigure(data.currency);
  const share = shareOf(data.now, data.before);
  const moved = data.change > 0 ? 'up' : 'down';
  const way = data.change === 0 ? 'same' : moved;
  const driver = [...data.drivers].sort((a, b) => Math.abs(b.change) - Math.abs(a.change))[0];
  const split = data.splits[0];
  const top = split?.parts.find((part) => part.kind === 'value' && part.change * data.change > 0);
  return (
    <p className={css.sentence}>
      {t(`forecast:why.sentence.${way}`, {
        figure: t(`forecast:figure.${data.figure}`),
        now: text(data.now),
        change: text(Math.abs(data.change)),
        share: share === null ? '\u2013' : fmt.percent(Math.abs(share)),
      })}{' '}
      {way !== 'same' &&
        driver !== undefined &&
        driver.change !== 0 &&
        t('forecast:why.sentence.driver', {
          name: t(`forecast:driver.${driver.key}`),
          change: signed(driver.change),
        })}{' '}
      {way !== 'same' &&
        top !== undefined &&
        split !== undefined &&
        t('forecast:why.sentence.place', {
          dimension: t(`forecast:dimension.${split.dimensions[0]}`),
          name: top.titles[0] || t('forecast:nothing'),
          change: signed(top.change),
        })}
      <br />
      <span className={css.against}>
        {t('forecast:why.spanLine', {
          from: fmt.date(data.from),
          to: fmt.date(data.to),
          beforeFrom: fmt.date(data.before_from),
          beforeTo: fmt.date(data.before_to),
        })}
      </span>
    </p>
  );
}

function Drivers({ data }: { data: Why }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const { text, signed } = useFigure(data.currency);
  const money = useFigure(data.currency || fmt.currency);
  const shown = (driver: Why['drivers'][number], value: number) =>
    driver.money ? money.text(value) : fmt.number(value, value < 100 ? 2 : 0);
  return (
    <div className={css.bridge}>
      <Figure
        name={t(`forecast:figure.${data.figure}`)}
        means={t(`forecast:means.${data.figure}`)}
        value={<span className={data.change < 0 ? css.down : css.up}>{signed(data.change)}</span>}
        note={t('forecast:why.fromTo', { before: text(data.before), now: text(data.now) })}
      />
      {data.drivers.map((driver) => (
        <Figure
          key={driver.key}
          name={t('forecast:why.by', { name: t(`forecast:driver.${driver.key}`) })}
          means={t(`forecast:driverMeans.${driver.key}`)}
          value={signed(driver.change)}
          note={t('forecast:why.fromTo', { before: shown(driver, driver.before), now: shown(driver, driver.now) })}
        />
      ))}
    </div>
  );
}

function Splits({ data, by, go }: Asked & { data: Why }) {
  const { t } = useTranslation('forecast');
  const split = data.splits.find((one) => one.dimensions[0] === by) ?? data.splits[0];
  if (split === undefined) return null;
  return (
    <Panel
      flush
      title={t('forecast:why.where')}
      aside={
        <SegmentedControl
          label={t('forecast:dimensionLabel')}
          value={split.dimensions[0] ?? ''}
          onChange={(next) => go({ by: next })}
          options={data.splits.map((one) => ({
            value: one.dimensions[0] ?? '',
            label: t(`forecast:dimension.${one.dimensions[0]}`),
          }))}
        />
      }
    >
      <SplitTable data={data} split={split} />
    </Panel>
  );
}

function Pair({ data, first, second, go }: Asked & { data: Why }) {
  const { t } = useTranslation('forecast');
  const options = FORECAST_DIMENSIONS.map((key) => ({ value: key as string, label: t(`forecast:dimension.${key}`) }));
  return (
    <Panel
      flush
      title={t('forecast:why.pair')}
      aside={
        <Toolbar>
          <div className={css.choice}>
            <Select
              aria-label={t('forecast:why.first')}
              placeholder={t('forecast:why.first')}
              value={first === '' ? null : first}
              onChange={(next) => go({ first: next ?? undefined })}
              options={options.filter((one) => one.value !== second)}
            />
          </div>
          <div className={css.choice}>
            <Select
              aria-label={t('forecast:why.second')}
              placeholder={t('forecast:why.second')}
              value={second === '' ? null : second}
              onChange={(next) => go({ second: next ?? undefined })}
              options={options.filter((one) => one.value !== first)}
            />
          </div>
        </Toolbar>
      }
    >
      {data.pair === null ? (
        <EmptyState compact cause="none" title={t('forecast:why.choosePair')} text={t('forecast:why.choosePairText')} />
      ) : (
        <SplitTable data={data} split={data.pair} />
      )}
    </Panel>
  );
}

/** Why a figure is another than before. */
export function WhyPart() {
  const { t } = useTranslation('forecast');
  const asked = useWhy();
  const answer = useQuery(whyQuery(asked.ask));
  const data = answer.data;
  if (data === undefined)
    return answer.isError ? (
      <ErrorState error={answer.error} onRetry={() => answer.refetch()} />
    ) : (
      <SkeletonRows rows={8} />
    );
  return (
    <Stack dim={answer.isPlaceholderData}>
      <Filters {...asked} data={data} />
      {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      {data.empty ? (
        <EmptyState cause="no_match" title={t('forecast:why.empty.title')} text={t('forecast:why.empty.text')} />
      ) : (
        <>
          <Sentence data={data} />
          <Drivers data={data} />
          <Splits {...asked} data={data} />
          <Pair {...asked} data={data} />
        </>
      )}
    </Stack>
  );
}
