import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import type { CardMeasure, ModelCard } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Panel, Table } from '@/ui';
import { Plot } from '@/ui/chart';
import css from './models.module.css';
import { useNumber } from './parts';

/** What a version learned and how good it is. Beside another version, its measures stand under these. */
export function Card({ card, beside }: { card: ModelCard; beside?: ModelCard }) {
  const { t } = useTranslation('models');
  return (
    <>
      {card.notes.length > 0 && (
        <ul className={css.notes} aria-label={t('models:notes')}>
          {card.notes.map((note) => (
            <li key={note.text} className={css.note} data-level={note.level}>
              {note.level === 'warning' ? <IconAlertTriangle size={16} /> : <IconInfoCircle size={16} />}
              <span>{note.text}</span>
            </li>
          ))}
        </ul>
      )}
      <div className={css.measures}>
        {card.measures.map((measure) => (
          <Measure
            key={measure.key}
            measure={measure}
            other={beside?.measures.find((other) => other.key === measure.key)}
          />
        ))}
      </div>
      <Window card={card} />
      <Charts card={card} />
      {card.inputs.length > 0 && <Inputs card={card} />}
      {card.parameters.length > 0 && <Parameters card={card} beside={beside} />}
    </>
  );
}

function Measure({ measure, other }: { measure: CardMeasure; other: CardMeasure | undefined }) {
  const { t } = useTranslation('models');
  const number = useNumber();
  const text = (value: number) => number(value, measure.share);
  return (
    <section className={css.measure} aria-label={measure.label}>
      <h3 className={css.measureName}>{measure.label}</h3>
      <div className={css.measureValue}>{text(measure.value)}</div>
      {measure.low !== undefined && measure.high !== undefined && (
        <div className={css.measureNote}>
          {t('models:interval', { low: text(measure.low), high: text(measure.high) })}
        </div>
      )}
      {measure.peer !== undefined && (
        <div className={css.measureNote}>
          {t('models:peer', { name: measure.peer_is ?? '', value: text(measure.peer) })}
        </div>
      )}
      {other !== undefined && (
        <div className={css.measureNote}>{t('models:otherValue', { value: text(other.value) })}</div>
      )}
      {measure.help !== undefined && <p className={css.measureNote}>{measure.help}</p>}
    </section>
  );
}

function Window({ card }: { card: ModelCard }) {
  const { t } = useTranslation('models');
  const fmt = useFormat();
  const parts = [
    t('models:rows', { count: card.rows, rows: fmt.number(card.rows) }),
    card.from !== undefined &&
      card.until !== undefined &&
      t('models:window', { from: fmt.date(card.from), until: fmt.date(card.until) }),
    card.held_from !== undefined &&
      card.held_until !== undefined &&
      t('models:held', { from: fmt.date(card.held_from), until: fmt.date(card.held_until) }),
  ];
  return <p className="muted">{parts.filter(Boolean).join(' \u00b7 ')}</p>;
}

function Charts({ card }: { card: ModelCard }) {
  const number = useNumber();
  if (card.charts.length === 0) return null;
  return (
    <div className={css.charts}>
      {card.charts.map((chart) => (
        <Panel key={chart.key} title={chart.label}>
          <Plot
            label={chart.label}
            kind={chart.kind}
            x={chart.x}
            series={chart.series}
            format={(value) => number(value)}
          />
          {chart.help !== undefined && <p className={css.measureNote}>{chart.help}</p>}
        </Panel>
      ))}
    </div>
  );
}

/** Population stability: from here on people look at it. */
const DRIFTED = 0.2;

function Inputs({ card }: { card: ModelCard }) {
  const { t } = useTranslation('models');
  const fmt = useFormat();
  const number = useNumber();
  const most = Math.max(...card.inputs.map((input) => input.weight), 0.0001);
  const drift = card.inputs.some((input) => input.drift !== undefined);
  return (
    <Panel flush title={t('models:inputs')}>
      <Table
        label={t('models:inputs')}
        rows={card.inputs}
        rowKey={(input) => input.key}
        columns={[
          { key: 'name', label: t('models:input'), cell: (input) => input.label },
          {
            key: 'weight',
            label: t('models:weight'),
            cell: (input) => (
              <span className={css.weight}>
                <i style={{ width: `${Math.round((input.weight / most) * 120)}px` }} />
                {fmt.percent(input.weight, 1)}
              </span>
            ),
          },
          ...(drift
            ? [
                {
                  key: 'drift',
                  label: t('models:drift'),
                  align: 'right' as const,
                  cell: (input: ModelCard['inputs'][number]) =>
                    input.drift === undefined
                      ? '\u2013'
                      : `${number(input.drift)}${input.drift >= DRIFTED ? ` \u00b7 ${t('models:drifted')}` : ''}`,
                },
              ]
            : []),
        ]}
      />
    </Panel>
  );
}

function Parameters({ card, beside }: { card: ModelCard; beside: ModelCard | undefined }) {
  const { t } = useTranslation('models');
  const number = useNumber();
  return (
    <Panel flush title={t('models:parameters')}>
      <Table
        label={t('models:parameters')}
        rows={card.parameters}
        rowKey={(parameter) => parameter.key}
        columns={[
          {
            key: 'name',
            label: t('models:parameter'),
            cell: (parameter) => (
              <>
                {parameter.label}
                {parameter.help !== undefined && <div className={css.measureNote}>{parameter.help}</div>}
              </>
            ),
          },
          {
            key: 'value',
            label: t('models:value'),
            align: 'right' as const,
            cell: (parameter) => number(parameter.value),
          },
          ...(beside === undefined
            ? []
            : [
                {
                  key: 'other',
                  label: t('models:other'),
                  align: 'right' as const,
                  cell: (parameter: ModelCard['parameters'][number]) => {
                    const other = beside.parameters.find((one) => one.key === parameter.key);
                    return other === undefined ? '\u2013' : number(other.value);
                  },
                },
              ]),
        ]}
      />
    </Panel>
  );
}
