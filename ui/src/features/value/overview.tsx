import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type CardMeasure, type ModelCard, modelQuery, type ValueGroup, type ValueOverview } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Panel, SegmentedControl, Table } from '@/ui';
import { Plot } from '@/ui/chart';
import { Barred, Figure, Figures, Halves, Stack } from '@/ui/figures';
import { amountOf, Behind } from './parts';
import css from './value.module.css';

function Cards({ data, months }: { data: ValueOverview; months: number }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const people = (name: string, count: number) => t('value:open', { name, total: fmt.number(count) });
  return (
    <Figures>
      <Figure
        name={t('value:term.clv')}
        note={t('value:means.clv', { count: months })}
        value={
          <Behind where={data.where} label={people(t('value:term.clv'), data.all.customers)}>
            {fmt.money(data.all.clv, { compact: true })}
          </Behind>
        }
      />
      <Figure
        name={t('value:term.orders')}
        note={t('value:means.orders', { count: months })}
        value={fmt.number(Math.round(data.all.orders))}
      />
      <Figure
        name={t('value:term.loyalty')}
        note={t('value:means.loyalty', { loyal: fmt.number(data.loyalty.loyal) })}
        value={
          <Behind where={data.loyalty.where} label={people(t('value:term.loyalty'), data.loyalty.loyal)}>
            {fmt.number(data.loyalty.mean, 1)}
          </Behind>
        }
      />
      <Figure
        name={t('value:term.referral')}
        note={
          data.referral.referred === 0
            ? t('value:means.noReferral')
            : t('value:means.referral', {
                referrers: fmt.number(data.referral.referrers),
                referred: fmt.number(data.referral.referred),
              })
        }
        value={
          data.referral.referred === 0 ? (
            '\u2013'
          ) : (
            <Behind where={data.referral.where} label={people(t('value:term.referral'), data.referral.referrers)}>
              {fmt.money(data.referral.past, { compact: true })}
            </Behind>
          )
        }
      />
    </Figures>
  );
}

interface GroupsProps {
  label: string;
  groups: readonly ValueGroup[];
  name: (group: ValueGroup) => string;
  total: number;
}
/** Groups of customers with a bar for their part of the value to come. */
function Groups({ label, groups, name, total }: GroupsProps) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const most = Math.max(1, ...groups.map((group) => amountOf(group.clv)));
  return (
    <Table
      label={label}
      rows={groups}
      rowKey={(group) => group.key}
      columns={[
        {
          key: 'name',
          label: t('value:group'),
          cell: (group) => (
            <Barred share={amountOf(group.clv) / most}>
              <Behind
                where={group.where}
                label={t('value:open', { name: name(group), total: fmt.number(group.customers) })}
              >
                {name(group)}
              </Behind>
            </Barred>
          ),
        },
        { key: 'customers', label: t('value:customers'), align: 'right', cell: (group) => fmt.number(group.customers) },
        {
          key: 'clv',
          label: t('value:term.clv'),
          align: 'right',
          cell: (group) => fmt.money(group.clv, { compact: true }),
        },
        {
          key: 'share',
          label: t('value:share'),
          align: 'right',
          cell: (group) => (total === 0 ? '\u2013' : fmt.percent(amountOf(group.clv) / total, 1)),
        },
        {
          key: 'each',
          label: t('value:each'),
          align: 'right',
          minor: true,
          cell: (group) =>
            fmt.money({ ...group.clv, amount: (amountOf(group.clv) / Math.max(1, group.customers)).toFixed(2) }),
        },
        {
          key: 'past',
          label: t('value:term.past'),
          align: 'right',
          minor: true,
          cell: (group) => fmt.money(group.past, { compact: true }),
        },
      ]}
    />
  );
}

const SHOWN = ['auc', 'total_error', 'decile_error', 'money_error', 'gini', 'top_share'];

function Quality({ card }: { card: ModelCard }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const text = (measure: CardMeasure, value: number) =>
    measure.share ? fmt.percent(value, 1) : fmt.number(value, Math.abs(value) < 10 ? 3 : 0);
  const measures = SHOWN.flatMap((key) => card.measures.find((measure) => measure.key === key) ?? []);
  return (
    <>
      <ul className={css.notes} aria-label={t('value:notes')}>
        {card.notes.map((note) => (
          <li key={note.text} data-level={note.level}>
            {note.text}
          </li>
        ))}
      </ul>
      <Halves>
        {card.charts.map((chart) => (
          <Panel key={chart.key} title={chart.label}>
            <Plot
              label={chart.label}
              kind={chart.kind}
              x={chart.x}
              series={chart.series}
              format={(value) => fmt.number(value, Math.abs(value) < 10 ? 2 : 0)}
            />
            {chart.help !== undefined && <p className={css.means}>{chart.help}</p>}
          </Panel>
        ))}
      </Halves>
      {measures.length > 0 && (
        <Panel title={t('value:quality')}>
          <dl className={css.measures}>
            {measures.map((measure) => (
              <div key={measure.key} title={measure.help}>
                <dt>{measure.label}</dt>
                <dd>
                  {text(measure, measure.value)}
                  {measure.peer !== undefined && (
                    <small>
                      {t('value:peer', { name: measure.peer_is ?? '', value: text(measure, measure.peer) })}
                    </small>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        </Panel>
      )}
    </>
  );
}

const LOYALTY = ['repurchase', 'breadth', 'tenure', 'recommendation'] as const;

/** The formula of the loyalty index with the weights that hold. */
function Formula({ option }: { option: (key: string) => number }) {
  const { t } = useTranslation('value');
  const fmt = useFormat();
  const can = useCan();
  const all = LOYALTY.reduce((sum, key) => sum + option(`weight_${key}`), 0);
  return (
    <Panel
      title={t('value:loyalty.title')}
      aside={
        can('segment.read') && (
          <ButtonLink kind="subtle" to="/models/$key" params={{ key: 'value' }}>
            {t('value:loyalty.edit')}
          </ButtonLink>
        )
      }
    >
      <p className={css.formula}>{t('value:loyalty.formula')}</p>
      <dl className={css.measures}>
        {LOYALTY.map((key) => (
          <div key={key}>
            <dt>{t(`value:loyalty.${key}`)}</dt>
            <dd>
              {all === 0 ? '\u2013' : fmt.percent(option(`weight_${key}`) / all)}
              <small>{t(`value:loyalty.${key}Full`, { count: option(`full_${key}`) })}</small>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** What customers will be worth: in all, by tenths and by groups, and how far that can be trusted. */
export function Overview({ data }: { data: ValueOverview }) {
  const { t } = useTranslation('value');
  const label = useLabel();
  const model = useQuery(modelQuery('value')).data;
  const [by, setBy] = useState('');
  const option = (key: string): number => Number(model?.options.find((one) => one.key === key)?.value ?? 0);
  const total = amountOf(data.all.clv);
  const some = data.groupings.filter((grouping) => grouping.groups.length > 0);
  const grouping = some.find((one) => one.key === by) ?? some[0];
  const card = model?.active?.card;
  return (
    <Stack>
      <Cards data={data} months={option('months') || 12} />
      <Halves>
        <Panel flush title={t('value:tenths')}>
          <Groups
            label={t('value:tenths')}
            groups={data.tenths}
            total={total}
            name={(group) => t('value:tenth', { number: group.key })}
          />
          <p className={css.foot}>{t('value:tenthsMean')}</p>
        </Panel>
        {grouping !== undefined && (
          <Panel flush title={t('value:byGroup')}>
            <div className={css.pick}>
              <SegmentedControl
                label={t('value:byGroup')}
                value={grouping.key}
                onChange={setBy}
                options={some.map((one) => ({ value: one.key, label: label(one.label) }))}
              />
            </div>
            <Groups
              label={t('value:byGroup')}
              groups={grouping.groups}
              total={total}
              name={(group) => (group.label === null ? t('value:none') : label(group.label))}
            />
          </Panel>
        )}
      </Halves>
      {card !== undefined && <Quality card={card} />}
      {model !== undefined && <Formula option={option} />}
    </Stack>
  );
}
