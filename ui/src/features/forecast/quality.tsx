import type { Forecast } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { EmptyState, Panel, Table } from '@/ui';
import { Figure, Figures } from '@/ui/figures';
import { shareOf, useFigure } from './figures';
import css from './forecast.module.css';

/** What is expected in all, and how much it may be trusted. */
export function Cards({ data }: { data: Forecast }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const { text } = useFigure(data.currency);
  const chosen = data.errors.find((one) => one.method === data.method);
  const change = shareOf(data.sum, data.before);
  const sum =
    change === null
      ? t('forecast:card.noYear')
      : t('forecast:card.year', { share: `${change > 0 ? '+' : ''}${fmt.percent(change)}` });
  const gain =
    chosen === undefined || data.peer === null || data.peer.smape === 0 ? null : 1 - chosen.smape / data.peer.smape;
  return (
    <Figures>
      <Figure
        name={t('forecast:card.sum', {
          count: data.ahead.length,
          unit: t(`forecast:unit.${data.period}`, { count: data.ahead.length }),
        })}
        means={t('forecast:card.sumMeans')}
        value={data.figure === 'customers' ? text(data.sum / data.ahead.length) : text(data.sum)}
        note={data.figure === 'customers' ? t('forecast:card.mean') : sum}
      />
      <Figure
        name={t('forecast:card.method')}
        means={t('forecast:card.methodMeans')}
        value={t(`forecast:method.${data.method}`)}
        note={t('forecast:card.learned', {
          count: data.learned,
          unit: t(`forecast:unit.${data.period}`, { count: data.learned }),
        })}
      />
      <Figure
        name={t('forecast:card.error')}
        means={t('forecast:card.errorMeans')}
        value={chosen === undefined ? '\u2013' : fmt.percent(chosen.smape / 100)}
        note={
          data.peer === null || gain === null
            ? t('forecast:card.noError')
            : t(gain >= 0 ? 'forecast:card.better' : 'forecast:card.worse', {
                peer: fmt.percent(data.peer.smape / 100),
                share: fmt.percent(Math.abs(gain), 0),
              })
        }
      />
      <Figure
        name={t('forecast:card.cover')}
        means={t('forecast:card.coverMeans')}
        value={data.cover95 === null ? '\u2013' : `${fmt.percent(data.cover80, 0)} / ${fmt.percent(data.cover95, 0)}`}
        note={data.origins === 0 ? t('forecast:card.noError') : t('forecast:card.origins', { count: data.origins })}
      />
    </Figures>
  );
}

/** Every method that was tried, best first. */
export function Methods({ data }: { data: Forecast }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  return (
    <Panel flush title={t('forecast:methods')}>
      {data.errors.length === 0 ? (
        <EmptyState compact cause="none" title={t('forecast:noMethods')} text={t('forecast:noMethodsText')} />
      ) : (
        <Table
          label={t('forecast:methods')}
          rows={data.errors}
          rowKey={(one) => one.method}
          columns={[
            {
              key: 'method',
              label: t('forecast:card.method'),
              cell: (one) => (
                <span className={one.method === data.method ? css.chosen : undefined}>
                  {t(`forecast:method.${one.method}`)}
                  {one.method === data.method && <span className={css.quiet}>{t('forecast:isChosen')}</span>}
                </span>
              ),
            },
            { key: 'smape', label: t('forecast:smape'), align: 'right', cell: (one) => fmt.percent(one.smape / 100) },
            { key: 'mase', label: t('forecast:mase'), align: 'right', cell: (one) => fmt.number(one.mase, 2) },
          ]}
        />
      )}
      <p className={css.foot}>{t('forecast:methodsMean')}</p>
    </Panel>
  );
}

/** What holidays do. */
export function Effects({ data }: { data: Forecast }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const rows = [...data.effects].sort((a, b) => Math.abs(Math.log(b.factor)) - Math.abs(Math.log(a.factor)));
  return (
    <Panel flush title={t('forecast:effects')}>
      {rows.length === 0 ? (
        <EmptyState
          compact
          cause="none"
          title={t(data.calendar ? 'forecast:noEffects' : 'forecast:noCalendar')}
          text={t('forecast:noEffectsText')}
        />
      ) : (
        <Table
          label={t('forecast:effects')}
          rows={rows}
          rowKey={(one) => one.holiday}
          columns={[
            { key: 'holiday', label: t('forecast:holidayLabel'), cell: (one) => t(`forecast:holiday.${one.holiday}`) },
            {
              key: 'factor',
              label: t('forecast:effect'),
              align: 'right',
              cell: (one) => `${one.factor > 1 ? '+' : ''}${fmt.percent(one.factor - 1, 0)}`,
            },
            { key: 'seen', label: t('forecast:seen'), align: 'right', cell: (one) => fmt.number(one.seen) },
          ]}
        />
      )}
      <p className={css.foot}>{t('forecast:effectsMean')}</p>
    </Panel>
  );
}
