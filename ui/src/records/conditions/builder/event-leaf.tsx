import type { Aggregate, Condition, EventCondition, Operator } from '@/api';
import { OperandEditor, operatorKey } from '@/fields';
import { useTranslation } from '@/i18n';
import { Select, type SelectOption } from '@/ui';
import { eventField } from '../events';
import css from './behaviour.module.css';
import { EventSelect } from './event-select';
import { NoneAs } from './none-as';
import { PropertyRows, useProperties } from './property-rows';
import { WindowEditor } from './window-editor';

type Measure = 'some' | 'none' | 'count' | 'days' | string;

function measureOf({ op, aggregate = 'count' }: EventCondition): Measure {
  if (op === undefined) return 'some';
  if (op === 'none') return 'none';
  if (typeof aggregate === 'string') return aggregate;
  const [name, key] = Object.entries(aggregate)[0] ?? ['count', ''];
  return `${name}:${key}`;
}

/** Did, did not, how often, on how many days, or a figure of a property. */
function useMeasures(event: string): SelectOption[] {
  const { t } = useTranslation('behaviour');
  const { known } = useProperties(event);
  const numbers = [
    { key: '$amount', name: t('behaviour:column.amount') },
    ...known.filter(({ type }) => type === 'number').map(({ key }) => ({ key, name: key })),
  ];
  return [
    { value: 'some', label: t('behaviour:measure.some') },
    { value: 'none', label: t('behaviour:measure.none') },
    { value: 'count', label: t('behaviour:measure.count') },
    { value: 'days', label: t('behaviour:measure.days') },
    ...numbers.flatMap(({ key, name }) =>
      (['sum', 'avg', 'min', 'max'] as const).map((fn) => ({
        value: `${fn}:${key}`,
        label: t(`behaviour:measure.${fn}`, { name }),
      })),
    ),
    ...known
      .filter(({ type }) => type === 'text')
      .map(({ key }) => ({ value: `distinct:${key}`, label: t('behaviour:measure.distinct', { name: key }) })),
  ];
}

interface Props {
  condition: EventCondition;
  onChange: (condition: Condition) => void;
}

/** "浏览页面 次数 大于等于 3，近 30 天，其中 …" */
export function EventLeaf({ condition, onChange }: Props) {
  const { t } = useTranslation(['behaviour', 'conditions', 'fields']);
  const measures = useMeasures(condition.event);
  const field = eventField(condition);
  const measure = measureOf(condition);
  const shown = measures.some(({ value }) => value === measure)
    ? measures
    : [...measures, { value: measure, label: measure.replace(':', ' ') }];
  const { event, where, within } = condition;
  const bare: EventCondition = { event, ...(where && { where }), ...(within && { within }) };
  const setMeasure = (next: Measure) => {
    if (next === 'some') return onChange(bare);
    if (next === 'none') return onChange({ ...bare, op: 'none' });
    if (next === 'count' || next === 'days') return onChange({ ...bare, aggregate: next, op: '>=', value: 1 });
    const at = next.indexOf(':');
    const aggregate = { [next.slice(0, at)]: next.slice(at + 1) } as unknown as Aggregate;
    return onChange({ ...bare, aggregate, op: '>=', value: undefined as never });
  };
  const set = (part: Partial<EventCondition>) => onChange({ ...condition, ...part });
  return (
    <>
      <EventSelect
        label={t('behaviour:event')}
        value={event}
        onChange={(name) => onChange({ event: name, ...(within && { within }) })}
      />
      <div className={css.measure}>
        <Select
          aria-label={t('conditions:aggregate.label')}
          options={shown}
          value={measure}
          onChange={(next) => next !== null && setMeasure(next)}
          searchable={shown.length > 9}
        />
      </div>
      {field !== null && condition.op !== undefined && condition.op !== 'none' && (
        <>
          <div className={css.operator}>
            <Select
              aria-label={t('conditions:operator')}
              options={field.operators.map((name) => ({ value: name, label: t(operatorKey(name, field)) as string }))}
              value={condition.op}
              onChange={(next) => {
                if (next === null) return;
                const reshaped = (next === 'between') !== (condition.op === 'between');
                set({
                  op: next as Operator,
                  ...(reshaped && { value: (next === 'between' ? [null, null] : null) as never }),
                });
              }}
            />
          </div>
          <div className={css.amount}>
            <OperandEditor
              field={field}
              op={condition.op}
              value={condition.value}
              onChange={(value) => set({ value: value as never })}
              label={t('conditions:value')}
            />
          </div>
          <NoneAs condition={condition} onChange={onChange} />
        </>
      )}
      <WindowEditor
        value={within}
        onChange={(next) => {
          const { within: _, ...rest } = condition;
          onChange(next === undefined ? rest : { ...rest, within: next });
        }}
      />
      <PropertyRows
        event={event}
        where={where}
        onChange={(next) => {
          const { where: _, ...rest } = condition;
          onChange(next === undefined ? rest : { ...rest, where: next });
        }}
      />
    </>
  );
}
