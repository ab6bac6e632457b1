import { IconPlus } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { Aggregate, Condition, Operator, RecordCondition } from '@/api';
import { OperandEditor, operatorKey } from '@/fields';
import { labelText, useTranslation } from '@/i18n';
import { canRead } from '@/metadata';
import { Button, Select, type SelectOption } from '@/ui';
import { aggregateField } from '../validate';
import css from './builder.module.css';
import { NestedConditions } from './nested';
import { NoneAs } from './none-as';
import { useScope } from './scope';
import { WindowEditor } from './window-editor';

const NONE = 'none';

function aggregateKey(condition: RecordCondition): string {
  if (condition.op === 'none') return NONE;
  const { aggregate = 'count' } = condition;
  if (typeof aggregate === 'string') return aggregate;
  const [name, field] = Object.entries(aggregate)[0] ?? ['count', ''];
  return `${name}:${field}`;
}

function aggregateOf(key: string): Aggregate {
  if (key === 'count' || key === 'days') return key;
  const [name = 'sum', field = ''] = key.split(':');
  return { [name]: field } as unknown as Aggregate;
}

function useAggregates(object: string): SelectOption[] {
  const { t } = useTranslation('conditions');
  const { objects, context } = useScope();
  return useMemo(() => {
    const options: SelectOption[] = [
      { value: 'count', label: t('conditions:aggregate.count') },
      { value: 'days', label: t('conditions:aggregate.days') },
      { value: NONE, label: t('conditions:aggregate.none') },
    ];
    for (const field of objects.find((candidate) => candidate.key === object)?.fields ?? []) {
      if (!canRead(field)) continue;
      const name = labelText(field.label, context.language, field.key);
      if (field.type === 'money' || field.type === 'number')
        for (const kind of ['sum', 'avg', 'min', 'max'] as const)
          options.push({ value: `${kind}:${field.key}`, label: t(`conditions:aggregate.${kind}`, { name }) });
      if (field.type === 'relation' && field.target !== 'customer')
        options.push({ value: `distinct:${field.key}`, label: t('conditions:aggregate.distinct', { name }) });
    }
    return options;
  }, [objects, object, context.language, t]);
}

interface Props {
  condition: RecordCondition;
  onChange: (condition: Condition) => void;
}

/** "订单 次数 大于等于 3，近 90 天，其中 …" */
export function RecordLeaf({ condition, onChange }: Props) {
  const { t } = useTranslation(['conditions', 'fields']);
  const scope = useScope();
  const field = aggregateField(condition, scope);
  const aggregates = useAggregates(condition.record);
  const setAggregate = (key: string) => {
    const { aggregate: _, value: __, op: ___, ...rest } = condition;
    if (key === NONE) onChange({ ...rest, op: 'none' });
    else
      onChange({
        ...rest,
        aggregate: aggregateOf(key),
        op: condition.op === 'none' ? '>=' : condition.op,
        value: key === 'count' || key === 'days' ? 1 : (undefined as never),
      });
  };
  const op = condition.op === 'none' ? null : condition.op;
  return (
    <>
      <div className={css.aggregate}>
        <Select
          aria-label={t('conditions:aggregate.label')}
          options={aggregates}
          value={aggregateKey(condition)}
          onChange={(key) => key !== null && setAggregate(key)}
          searchable={aggregates.length > 7}
        />
      </div>
      {op !== null && field !== null && (
        <>
          <div className={css.operator}>
            <Select
              aria-label={t('conditions:operator')}
              options={field.operators.map((name) => ({ value: name, label: t(operatorKey(name, field)) as string }))}
              value={op}
              onChange={(next) => {
                const between = (next === 'between') !== (op === 'between');
                onChange({
                  ...condition,
                  op: (next ?? op) as Operator,
                  ...(between && { value: (next === 'between' ? [null, null] : 1) as never }),
                });
              }}
            />
          </div>
          <div className={css.amount}>
            <OperandEditor
              field={field}
              op={op}
              value={condition.value}
              onChange={(value) => onChange({ ...condition, value: value as never })}
              label={t('conditions:value')}
            />
          </div>
        </>
      )}
      {op !== null && <NoneAs condition={condition} onChange={onChange} />}
      <WindowEditor
        value={condition.within}
        onChange={(within) => {
          const { within: _, ...rest } = condition;
          onChange(within === undefined ? rest : { ...rest, within });
        }}
      />
      {condition.where === undefined && !scope.readOnly && (
        <Button
          kind="subtle"
          icon={<IconPlus size={14} />}
          onClick={() => onChange({ ...condition, where: { all: [] } })}
        >
          {t('conditions:behaviour.where')}
        </Button>
      )}
      {condition.where !== undefined && (
        <NestedConditions
          object={condition.record}
          where={condition.where}
          onChange={(where) => {
            const { where: _, ...rest } = condition;
            onChange(where === null ? rest : { ...rest, where });
          }}
        />
      )}
    </>
  );
}
