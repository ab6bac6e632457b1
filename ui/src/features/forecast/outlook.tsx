import { IconChartAreaLine, IconDownload, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import {
  FORECAST_DIMENSIONS,
  FORECAST_FIGURES,
  FORECAST_PERIODS,
  type Forecast,
  forecastQuery,
  forecastValuesQuery,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { saveCsv } from '@/lib/csv';
import { encodeCondition } from '@/records/conditions';
import { EmptyState, ErrorState, IconButton, Panel, SegmentedControl, Select, SkeletonRows } from '@/ui';
import { BandChart, type BandPoint } from '@/ui/chart';
import { Halves, Stack, Toolbar } from '@/ui/figures';
import { onDays, useFigure } from './figures';
import css from './forecast.module.css';
import { Cards, Effects, Methods } from './quality';
import { PeriodTable } from './table';
import { HORIZONS, useAsk } from './use-ask';
import { WatchButton } from './watches';

/** So many of the periods that were stand in the chart; the table has them all. */
const SHOWN = { day: 120, week: 78, month: 48 } as const;

function Filters({ ask, dimension, go }: ReturnType<typeof useAsk>) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const values = useQuery(forecastValuesQuery(dimension));
  const items = values.data?.items ?? [];
  const known = items.some((one) => one.key === ask.value);
  return (
    <Toolbar>
      <SegmentedControl
        label={t('forecast:figureLabel')}
        value={ask.figure}
        onChange={(figure) => go({ figure })}
        options={FORECAST_FIGURES.map((key) => ({ value: key, label: t(`forecast:figure.${key}`) }))}
      />
      <SegmentedControl
        label={t('forecast:periodLabel')}
        value={ask.period}
        onChange={(period) => go({ period, ahead: undefined })}
        options={FORECAST_PERIODS.map((key) => ({ value: key, label: t(`forecast:period.${key}`) }))}
      />
      <SegmentedControl
        label={t('forecast:horizonLabel')}
        value={String(ask.horizon)}
        onChange={(ahead) => go({ ahead: Number(ahead) })}
        options={HORIZONS[ask.period].map((count) => ({
          value: String(count),
          label: t(`forecast:ahead.${ask.period}`, { count, shown: fmt.number(count) }),
        }))}
      />
      <div className={css.choice}>
        <Select
          aria-label={t('forecast:dimensionLabel')}
          value={dimension === '' ? 'total' : dimension}
          onChange={(next) => go({ dimension: next === 'total' || next === null ? undefined : next, value: undefined })}
          options={['total', ...FORECAST_DIMENSIONS].map((key) => ({
            value: key,
            label: t(`forecast:dimension.${key}`),
          }))}
        />
      </div>
      {dimension !== '' && (
        <div className={css.wideChoice}>
          <Select
            aria-label={t(`forecast:dimension.${dimension}`)}
            searchable
            placeholder={t('forecast:choose', { name: t(`forecast:dimension.${dimension}`) })}
            value={ask.dimension === '' || !known ? null : `v:${ask.value}`}
            onChange={(next) => next !== null && go({ value: next.slice(2) })}
            options={items.map((one) => ({
              value: `v:${one.key}`,
              label: `${one.title || t('forecast:nothing')} \u00b7 ${fmt.money(one.revenue, { compact: true })}`,
            }))}
          />
        </div>
      )}
      <WatchButton ask={ask} />
    </Toolbar>
  );
}

/** The points of the chart: what was, then what is expected. */
function usePoints(data: Forecast): { points: BandPoint[]; shown: Forecast['known'] } {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const { text } = useFigure(data.currency);
  const span = (one: { from: string; to: string }) => {
    if (data.period === 'month') return fmt.month(one.from);
    return one.from === one.to ? fmt.date(one.from) : `${fmt.date(one.from)} \u2013 ${fmt.date(one.to)}`;
  };
  const short = (one: { from: string }) => (data.period === 'month' ? fmt.month(one.from) : fmt.shortDate(one.from));
  const feasts = (list: readonly string[]) =>
    list.length === 0 ? [] : [fmt.list(list.map((key) => t(`forecast:holiday.${key}`)))];
  const whole = data.known.filter((one) => !one.partial || one.from < (data.ahead[0]?.from ?? ''));
  const shown = whole.slice(-SHOWN[data.period]);
  const running = new Map(data.known.filter((one) => one.partial).map((one) => [one.from, one.value]));
  return {
    shown,
    points: [
      ...shown.map(
        (one): BandPoint => ({
          key: one.from,
          short: short(one),
          title: span(one),
          value: one.value,
          partial: one.partial,
          marked: one.holidays.length > 0,
          notes: [...(one.partial ? [t('forecast:partial')] : []), ...feasts(one.holidays)],
        }),
      ),
      ...data.ahead.map((one): BandPoint => {
        const soFar = running.get(one.from);
        return {
          key: one.from,
          short: short(one),
          title: `${span(one)} \u00b7 ${t('forecast:expected')}`,
          value: one.mean,
          band: [one.low95, one.low80, one.high80, one.high95],
          marked: one.holidays.length > 0,
          notes: [
            t('forecast:within', { share: fmt.percent(0.8), low: text(one.low80), high: text(one.high80) }),
            t('forecast:within', { share: fmt.percent(0.95), low: text(one.low95), high: text(one.high95) }),
            ...(soFar === undefined ? [] : [t('forecast:soFar', { value: text(soFar) })]),
            ...feasts(one.holidays),
          ],
        };
      }),
    ],
  };
}

function Picture({ data }: { data: Forecast }) {
  const { t } = useTranslation('forecast');
  const navigate = useNavigate();
  const { text, short } = useFigure(data.currency);
  const { points, shown } = usePoints(data);
  const [table, setTable] = useState(false);
  const name =
    data.title === ''
      ? t(`forecast:figure.${data.figure}`)
      : `${t(`forecast:figure.${data.figure}`)} \u00b7 ${data.title}`;
  const save = () =>
    saveCsv(
      `${t('forecast:title')} ${name}`.replace(/[\\/:*?"<>|]/g, ' '),
      ['from', 'to', 'value', 'mean', 'low80', 'high80', 'low95', 'high95', 'partial'],
      [
        ...data.known.map((one) => [
          one.from,
          one.to,
          one.value,
          one.fitted,
          null,
          null,
          null,
          null,
          one.partial ? 1 : 0,
        ]),
        ...data.ahead.map((one) => [
          one.from,
          one.to,
          null,
          one.mean,
          one.low80,
          one.high80,
          one.low95,
          one.high95,
          null,
        ]),
      ],
    );
  return (
    <Panel
      title={name}
      aside={
        <>
          <IconButton
            label={table ? t('forecast:asChart') : t('forecast:asTable')}
            icon={table ? <IconChartAreaLine size={16} /> : <IconTable size={16} />}
            onClick={() => setTable(!table)}
          />
          <IconButton label={t('forecast:save')} icon={<IconDownload size={16} />} onClick={save} />
        </>
      }
    >
      {table ? (
        <PeriodTable data={data} />
      ) : (
        <BandChart
          label={t('forecast:chartLabel', { name })}
          points={points}
          format={text}
          formatAxis={short}
          onPick={(at) => {
            const one = shown[at];
            if (one === undefined) return;
            navigate({
              to: '/o/$object',
              params: { object: data.behind.object },
              search: { where: encodeCondition(onDays(data.behind, one.from, one.to)) },
            });
          }}
        />
      )}
      <p className={css.foot}>{t('forecast:chartMeans')}</p>
    </Panel>
  );
}

function Notes({ data }: { data: Forecast }) {
  const { t } = useTranslation('forecast');
  const notes = data.notes.filter((key) => key !== 'empty');
  if (notes.length === 0) return null;
  return (
    <ul className={css.notes}>
      {notes.map((key) => (
        <li key={key}>{t(`forecast:note.${key}`, { count: data.learned })}</li>
      ))}
    </ul>
  );
}

/** A figure with how it goes on. */
export function Outlook() {
  const { t } = useTranslation('forecast');
  const asked = useAsk();
  const answer = useQuery(forecastQuery(asked.ask));
  const data = answer.data;
  return (
    <Stack dim={answer.isPlaceholderData}>
      <Filters {...asked} />
      {answer.isError && (
        <ErrorState compact={data !== undefined} error={answer.error} onRetry={() => answer.refetch()} />
      )}
      {data === undefined && !answer.isError && <SkeletonRows rows={8} />}
      {data !== undefined && data.ahead.length === 0 && (
        <EmptyState cause="none" title={t('forecast:empty.title')} text={t('forecast:empty.text')} />
      )}
      {data !== undefined && data.ahead.length > 0 && (
        <>
          <Cards data={data} />
          <Notes data={data} />
          <Picture data={data} />
          <Halves>
            <Methods data={data} />
            <Effects data={data} />
          </Halves>
        </>
      )}
    </Stack>
  );
}
