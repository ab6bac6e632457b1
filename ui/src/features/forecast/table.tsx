import { Link } from '@tanstack/react-router';
import type { Forecast } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { Table } from '@/ui';
import { onDays, useFigure } from './figures';
import css from './forecast.module.css';

interface Row {
  from: string;
  to: string;
  value: number | null;
  mean: number | null;
  range80: readonly [number, number] | null;
  range95: readonly [number, number] | null;
  note: string;
}

/** The same figures as the chart, newest first. */
export function PeriodTable({ data }: { data: Forecast }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const { text } = useFigure(data.currency);
  const feasts = (list: readonly string[]) => fmt.list(list.map((key) => t(`forecast:holiday.${key}`)));
  const ahead = new Set(data.ahead.map((one) => one.from));
  const rows: Row[] = [
    ...data.known
      .filter((one) => !ahead.has(one.from))
      .map((one) => ({
        from: one.from,
        to: one.to,
        value: one.value,
        mean: one.fitted,
        range80: null,
        range95: null,
        note: one.partial ? t('forecast:partial') : feasts(one.holidays),
      })),
    ...data.ahead.map((one) => ({
      from: one.from,
      to: one.to,
      value: data.known.find((past) => past.from === one.from)?.value ?? null,
      mean: one.mean,
      range80: [one.low80, one.high80] as const,
      range95: [one.low95, one.high95] as const,
      note: feasts(one.holidays),
    })),
  ].reverse();
  const range = (pair: readonly [number, number] | null) =>
    pair === null ? '' : `${text(pair[0])} \u2013 ${text(pair[1])}`;
  const label = (row: Row) => (data.period === 'month' ? fmt.month(row.from) : fmt.date(row.from));
  return (
    <div className={css.tall}>
      <Table
        label={t('forecast:asTable')}
        rows={rows}
        rowKey={(row) => row.from}
        columns={[
          {
            key: 'from',
            label: t(`forecast:period.${data.period}`),
            cell: (row) =>
              row.value === null ? (
                label(row)
              ) : (
                <Link
                  to="/o/$object"
                  params={{ object: data.behind.object }}
                  search={{ where: encodeCondition(onDays(data.behind, row.from, row.to)) }}
                >
                  {label(row)}
                </Link>
              ),
          },
          {
            key: 'value',
            label: t('forecast:actual'),
            align: 'right',
            cell: (row) => (row.value === null ? '' : text(row.value)),
          },
          {
            key: 'mean',
            label: t('forecast:expected'),
            align: 'right',
            cell: (row) => (row.mean === null ? '' : text(row.mean)),
          },
          { key: 'range80', label: fmt.percent(0.8), align: 'right', minor: true, cell: (row) => range(row.range80) },
          { key: 'range95', label: fmt.percent(0.95), align: 'right', minor: true, cell: (row) => range(row.range95) },
          { key: 'note', label: t('forecast:remark'), minor: true, cell: (row) => row.note },
        ]}
      />
    </div>
  );
}
