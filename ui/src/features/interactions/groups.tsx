import { IconChartAreaLine, IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import type { InteractionGroup } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { addDays } from '@/lib/day';
import { IconButton, Panel, SegmentedControl, Table } from '@/ui';
import { AreaChart } from '@/ui/chart';
import { Barred } from '@/ui/figures';
import css from './interactions.module.css';
import { useOptionName } from './words';

const rate = (group: InteractionGroup): number => (group.seen === 0 ? 0 : group.interactions / group.seen);
const FIGURES = ['interactions', 'rate', 'contents'] as const;
type Figure = (typeof FIGURES)[number];

/** The weeks of publication, as a line or as a table. */
export function Weeks({ weeks }: { weeks: readonly InteractionGroup[] }) {
  const { t } = useTranslation('interactions');
  const fmt = useFormat();
  const [figure, setFigure] = useState<Figure>('interactions');
  const [table, setTable] = useState(false);
  const value = (week: InteractionGroup, of: Figure) => (of === 'rate' ? rate(week) : week[of]);
  const text = (of: Figure, number: number) => (of === 'rate' ? fmt.percent(number, 2) : fmt.number(number));
  const span = (week: InteractionGroup) => `${fmt.date(week.key)} \u2013 ${fmt.date(addDays(week.key, 6))}`;
  return (
    <Panel
      title={t('interactions:byWeek')}
      aside={
        <>
          <SegmentedControl<Figure>
            label={t('interactions:figure')}
            value={figure}
            onChange={setFigure}
            options={FIGURES.map((key) => ({ value: key, label: t(`interactions:term.${key}`) }))}
          />
          <IconButton
            label={table ? t('interactions:asChart') : t('interactions:asTable')}
            icon={table ? <IconChartAreaLine size={16} /> : <IconTable size={16} />}
            onClick={() => setTable(!table)}
          />
        </>
      }
    >
      {table ? (
        <div className={css.tall}>
          <Table
            label={t('interactions:byWeek')}
            rows={weeks}
            rowKey={(week) => week.key}
            columns={[
              { key: 'week', label: t('interactions:week'), cell: span },
              ...FIGURES.map((key) => ({
                key,
                label: t(`interactions:term.${key}`),
                align: 'right' as const,
                cell: (week: InteractionGroup) => text(key, value(week, key)),
              })),
            ]}
          />
        </div>
      ) : (
        <AreaChart
          label={t('interactions:weekLabel', { name: t(`interactions:term.${figure}`) })}
          format={(number) => text(figure, number)}
          formatAxis={(number) => (figure === 'rate' ? fmt.percent(number, 1) : fmt.compact(number))}
          points={weeks.map((week) => ({
            key: week.key,
            short: fmt.shortDate(week.key),
            title: span(week),
            value: value(week, figure),
            notes: [t('interactions:weekNote', { contents: week.contents, rate: fmt.percent(rate(week), 2) })],
          }))}
        />
      )}
      <p className="muted">{t('interactions:weekMeans')}</p>
    </Panel>
  );
}

interface GroupsProps {
  field: 'platform' | 'kind';
  groups: readonly InteractionGroup[];
  onPick: (key: string) => void;
}

/** Contents by platform or kind; a press narrows the page to one. */
export function Groups({ field, groups, onPick }: GroupsProps) {
  const { t } = useTranslation('interactions');
  const fmt = useFormat();
  const name = useOptionName();
  const most = Math.max(1, ...groups.map((group) => group.interactions));
  return (
    <Panel flush title={t(`interactions:by.${field}`)}>
      <Table
        label={t(`interactions:by.${field}`)}
        rows={groups}
        rowKey={(group) => group.key}
        columns={[
          {
            key: 'name',
            label: t(`interactions:${field}`),
            cell: (group) => (
              <Barred share={group.interactions / most}>
                <button type="button" className={css.link} onClick={() => onPick(group.key)}>
                  {name(field, group.key)}
                </button>
              </Barred>
            ),
          },
          {
            key: 'contents',
            label: t('interactions:term.contents'),
            align: 'right',
            minor: true,
            cell: (group) => fmt.number(group.contents),
          },
          {
            key: 'interactions',
            label: t('interactions:term.interactions'),
            align: 'right',
            cell: (group) => fmt.number(group.interactions),
          },
          {
            key: 'rate',
            label: t('interactions:term.rate'),
            align: 'right',
            cell: (group) => (group.seen === 0 ? '\u2013' : fmt.percent(rate(group), 2)),
          },
        ]}
      />
    </Panel>
  );
}
