import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import {
  type ForecastAsk,
  type ForecastWatch,
  forecastWatchesQuery,
  tellForecast,
  unwatchForecast,
  usersQuery,
  watchForecast,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { Button, ButtonLink, EmptyState, ErrorState, MultiSelect, Panel, Pill, SkeletonRows, Table, toast } from '@/ui';
import { BandChart } from '@/ui/chart';
import { Stack } from '@/ui/figures';
import { onDays, useFigure } from './figures';
import css from './forecast.module.css';

/** Has a figure watched from now on. */
export function WatchButton({ ask }: { ask: ForecastAsk }) {
  const { t } = useTranslation('forecast');
  const can = useCan();
  const client = useQueryClient();
  const { data } = useQuery(forecastWatchesQuery());
  const watched = data?.items.some(
    (one) =>
      one.figure === ask.figure &&
      one.period === ask.period &&
      one.dimension === ask.dimension &&
      one.value === ask.value,
  );
  const start = useMutation({
    mutationFn: () => watchForecast(ask),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['forecast', 'watches'] });
      toast.ok(t('forecast:watch.started'));
    },
    onError: (error) => toast.error(error.message),
  });
  if (watched === true)
    return (
      <ButtonLink kind="subtle" to="/forecast" search={{ tab: 'watch' }}>
        {t('forecast:watch.isOn')}
      </ButtonLink>
    );
  if (!can('segment.write') || watched === undefined) return null;
  return (
    <Button loading={start.isPending} onClick={() => start.mutate()}>
      {t('forecast:watch.start')}
    </Button>
  );
}

function OneWatch({ watch }: { watch: ForecastWatch }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const can = useCan();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { text, short } = useFigure(watch.currency);
  const name = [
    t(`forecast:figure.${watch.figure}`),
    ...(watch.dimension === '' ? [] : [watch.title || t('forecast:nothing')]),
    t(`forecast:period.${watch.period}`),
  ].join(' \u00b7 ');
  const stop = useMutation({
    mutationFn: () => unwatchForecast(watch.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ['forecast', 'watches'] }),
    onError: (error) => toast.error(error.message),
  });
  const span = (one: { from: string; to: string }) => {
    if (watch.period === 'month') return fmt.month(one.from);
    return one.from === one.to ? fmt.date(one.from) : `${fmt.date(one.from)} \u2013 ${fmt.date(one.to)}`;
  };
  const behind = (one: { from: string; to: string }) => encodeCondition(onDays(watch.behind, one.from, one.to));
  const over = watch.said.filter((one) => one.came !== null);
  const next = watch.said.filter((one) => one.came === null);
  const odd = over.filter((one) => one.odd).reverse();
  return (
    <Panel
      title={name}
      aside={
        <>
          {watch.odd > 0 && <Pill color="red">{t('forecast:watch.odd', { count: watch.odd })}</Pill>}
          {can('segment.write') && (
            <Button kind="subtle" loading={stop.isPending} onClick={() => stop.mutate()}>
              {t('forecast:watch.stop')}
            </Button>
          )}
        </>
      }
    >
      <p className={css.against}>
        {watch.error === null
          ? t('forecast:watch.noError')
          : t('forecast:watch.error', { share: fmt.percent(watch.error), count: over.length })}
      </p>
      <BandChart
        label={t('forecast:chartLabel', { name })}
        height={220}
        format={text}
        formatAxis={short}
        points={[...over, ...next].map((one) => ({
          key: one.from,
          short: watch.period === 'month' ? fmt.month(one.from) : fmt.shortDate(one.from),
          title: span(one),
          value: one.came ?? one.mean,
          odd: one.odd,
          ...(one.came === null && { band: [one.low95, one.low80, one.high80, one.high95] as const }),
          notes: [
            ...(one.came === null ? [t('forecast:expected')] : [t('forecast:watch.said', { value: text(one.mean) })]),
            t('forecast:within', { share: fmt.percent(0.95), low: text(one.low95), high: text(one.high95) }),
            ...(one.odd ? [t('forecast:watch.isOdd')] : []),
          ],
        }))}
        onPick={(at) => {
          const one = over[at];
          if (one !== undefined)
            navigate({ to: '/o/$object', params: { object: watch.behind.object }, search: { where: behind(one) } });
        }}
      />
      <Told watch={watch} />
      {odd.length > 0 && (
        <Table
          label={t('forecast:watch.oddList')}
          rows={odd}
          rowKey={(one) => one.from}
          columns={[
            {
              key: 'period',
              label: t(`forecast:period.${watch.period}`),
              cell: (one) => (
                <Link to="/o/$object" params={{ object: watch.behind.object }} search={{ where: behind(one) }}>
                  {span(one)}
                </Link>
              ),
            },
            { key: 'came', label: t('forecast:actual'), align: 'right', cell: (one) => text(one.came ?? 0) },
            { key: 'mean', label: t('forecast:expected'), align: 'right', cell: (one) => text(one.mean) },
            {
              key: 'range',
              label: fmt.percent(0.95),
              align: 'right',
              minor: true,
              cell: (one) => `${text(one.low95)} \u2013 ${text(one.high95)}`,
            },
            {
              key: 'why',
              label: '',
              align: 'right',
              cell: (one) => (
                <Link to="/forecast" search={{ tab: 'why', figure: watch.figure, from: one.from, to: one.to }}>
                  {t('forecast:tab.why')}
                </Link>
              ),
            },
          ]}
        />
      )}
    </Panel>
  );
}

/** Who hears of what was not expected, besides whoever watches the figure. */
function Told({ watch }: { watch: ForecastWatch }) {
  const { t } = useTranslation('forecast');
  const can = useCan();
  const client = useQueryClient();
  const may = can('segment.write');
  const users = useQuery({ ...usersQuery(), enabled: may });
  const tell = useMutation({
    mutationFn: (told: string[]) => tellForecast(watch.id, told),
    onSuccess: () => client.invalidateQueries({ queryKey: ['forecast', 'watches'] }),
    onError: (error) => toast.error(error.message),
  });
  const label = t('forecast:watch.told', { name: watch.by?.title ?? '\u2013' });
  if (!may)
    return watch.told.length === 0 ? null : (
      <p className={css.against}>
        {label}: {watch.told.map((user) => user.title).join(', ')}
      </p>
    );
  const named = watch.told.map((user) => ({ value: user.id, label: user.title }));
  const others = (users.data?.items ?? [])
    .filter((user) => !user.disabled && user.id !== watch.by?.id)
    .map((user) => ({ value: user.id, label: user.name }));
  if (others.length + named.length === 0) return null;
  return (
    <MultiSelect
      label={label}
      placeholder={watch.told.length === 0 ? t('forecast:watch.toldNobody') : ''}
      value={named.map((one) => one.value)}
      options={[...others, ...named.filter((one) => !others.some((other) => other.value === one.value))]}
      disabled={tell.isPending}
      onChange={(next) => tell.mutate(next)}
    />
  );
}

/** Watched figures: what was said of them, what came, and what nobody expected. */
export function Watches() {
  const { t } = useTranslation('forecast');
  const { data, error, refetch } = useQuery(forecastWatchesQuery());
  if (data === undefined)
    return error !== null ? <ErrorState error={error} onRetry={() => refetch()} /> : <SkeletonRows rows={6} />;
  return (
    <Stack>
      {data.items.length === 0 && (
        <EmptyState
          cause="none"
          title={t('forecast:watch.none.title')}
          text={t('forecast:watch.none.text')}
          actions={
            <ButtonLink kind="primary" to="/forecast">
              {t('forecast:watch.none.begin')}
            </ButtonLink>
          }
        />
      )}
      {data.items.map((watch) => (
        <OneWatch key={watch.id} watch={watch} />
      ))}
      {data.items.length > 0 && <p className={css.against}>{t('forecast:watch.means')}</p>}
    </Stack>
  );
}
