import { IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import {
  type DeedFilter,
  type Operator,
  type PropertyCondition,
  type SeenProperty,
  seenEventsQuery,
  seenPropertiesQuery,
} from '@/api';
import { emptyOperand, OperandEditor, operandShape, operatorKey } from '@/fields';
import { useTranslation } from '@/i18n';
import { Button, IconButton, Select, type SelectOption } from '@/ui';
import { columnType, flatFilter, isColumn, type PropertyType, propertyField, propertyType } from '../events';
import css from './behaviour.module.css';
import { TypedSelect } from './event-select';
import { useScope } from './scope';

const TYPES = ['text', 'number', 'bool'] as const;

/** What of an event can be narrowed down: its own properties first, then what every event may have. */
export function useProperties(event: string): { known: readonly SeenProperty[]; options: SelectOption[] } {
  const { t } = useTranslation('behaviour');
  const known = useQuery(seenPropertiesQuery(event)).data?.items ?? [];
  const columns = useQuery(seenEventsQuery()).data?.columns ?? [];
  return {
    known,
    options: [
      ...known.map(({ key }) => ({ value: key, label: key, group: t('behaviour:property.own') })),
      ...columns.map(({ key }) => ({
        value: key,
        label: t(`behaviour:column.${key.slice(1)}` as never) as string,
        group: t('behaviour:property.every'),
      })),
    ],
  };
}

interface RowProps {
  row: PropertyCondition;
  known: readonly SeenProperty[];
  options: SelectOption[];
  onChange: (row: PropertyCondition) => void;
}

function start(property: string, known: readonly SeenProperty[]): PropertyCondition {
  const type: PropertyType = isColumn(property)
    ? columnType(property)
    : (known.find(({ key }) => key === property)?.type ?? 'text');
  return retyped(property, type);
}

/** A first comparison of a type. An empty value keeps the type: null in a list is a number, "" a text. */
function retyped(property: string, type: PropertyType): PropertyCondition {
  const field = propertyField(property, type);
  const [op = '='] = field.operators;
  if (type === 'number') return { property, op, value: 0 };
  return { property, op, value: (type === 'text' ? '' : emptyOperand(op, field)) as never };
}

function Row({ row, known, options, onChange }: RowProps) {
  const { t } = useTranslation(['behaviour', 'conditions', 'fields']);
  const type = propertyType(row);
  const field = propertyField(row.property, type);
  const values = known.find(({ key }) => key === row.property)?.values ?? [];
  const setOp = (op: Operator) => {
    const kept = operandShape(op, field) === operandShape(row.op, field) ? row.value : emptyOperand(op, field);
    onChange({
      property: row.property,
      op,
      value: (type === 'text' ? (kept ?? (operandShape(op, field) === 'none' ? undefined : '')) : kept) as never,
    });
  };
  const listed = values.length > 0 && type === 'text' && (row.op === '=' || row.op === '!=');
  return (
    <>
      <div className={css.property}>
        <TypedSelect
          label={t('behaviour:property.label')}
          placeholder={t('behaviour:property.choose')}
          value={row.property}
          options={options}
          onChange={(property) => onChange(start(property, known))}
        />
      </div>
      {row.property !== '' && !isColumn(row.property) && (
        <div className={css.type}>
          <Select
            aria-label={t('behaviour:property.type')}
            options={TYPES.map((name) => ({ value: name, label: t(`behaviour:type.${name}`) }))}
            value={type}
            onChange={(next) => next !== null && onChange(retyped(row.property, next as PropertyType))}
          />
        </div>
      )}
      {row.property !== '' && (
        <>
          <div className={css.operator}>
            <Select
              aria-label={t('conditions:operator')}
              options={field.operators.map((name) => ({ value: name, label: t(operatorKey(name, field)) as string }))}
              value={row.op}
              onChange={(op) => op !== null && setOp(op as Operator)}
            />
          </div>
          <div className={css.value}>
            {listed ? (
              <TypedSelect
                label={t('conditions:value')}
                value={typeof row.value === 'string' ? row.value : ''}
                options={values.map((value) => ({ value, label: value }))}
                onChange={(value) => onChange({ ...row, value })}
              />
            ) : (
              <OperandEditor
                field={field}
                op={row.op}
                value={row.value}
                onChange={(value) => onChange({ ...row, value: value as never })}
                label={t('conditions:value')}
              />
            )}
          </div>
        </>
      )}
    </>
  );
}

interface Props {
  event: string;
  where: DeedFilter | undefined;
  onChange: (where: DeedFilter | undefined) => void;
}

/** What the events must be like: rows of properties, all of them or one of them. */
export function PropertyRows({ event, where, onChange }: Props) {
  const { t } = useTranslation(['behaviour', 'conditions', 'common']);
  const { readOnly } = useScope();
  const { known, options } = useProperties(event);
  const flat = flatFilter(where);
  if (event === '') return null;
  if (flat === null)
    return (
      <span className={css.nested}>
        {t('behaviour:property.deeper')}
        {!readOnly && (
          <IconButton label={t('common:remove')} icon={<IconX size={14} />} onClick={() => onChange(undefined)} />
        )}
      </span>
    );
  const { mode, items } = flat;
  const set = (next: PropertyCondition[], how = mode) =>
    onChange(next.length === 0 ? undefined : ({ [how]: next } as unknown as DeedFilter));
  const add = !readOnly && (
    <Button
      kind="subtle"
      icon={<IconPlus size={14} />}
      onClick={() => set([...items, { property: '', op: '=', value: '' }])}
    >
      {t('conditions:behaviour.where')}
    </Button>
  );
  if (items.length === 0) return add;
  return (
    <div className={css.nested}>
      <span className={css.nestedLabel}>{t('conditions:behaviour.whereLabel')}</span>
      {items.map((row, at) => (
        <div key={at} className={css.row}>
          {at > 0 && (
            <button
              type="button"
              className={css.joint}
              title={t('conditions:toggleConnector')}
              disabled={readOnly}
              onClick={() => set(items, mode === 'all' ? 'any' : 'all')}
            >
              {mode === 'all' ? t('conditions:and') : t('conditions:or')}
            </button>
          )}
          <Row
            row={row}
            known={known}
            options={options}
            onChange={(next) => set(items.map((other, place) => (place === at ? next : other)))}
          />
          {!readOnly && (
            <IconButton
              label={t('conditions:removeCondition')}
              icon={<IconX size={14} />}
              onClick={() => set(items.filter((_, place) => place !== at))}
            />
          )}
        </div>
      ))}
      {add}
    </div>
  );
}
