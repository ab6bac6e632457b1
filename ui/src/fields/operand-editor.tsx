import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Field, type Operator, type Ref, usersQuery } from '@/api';
import { labelText, useFormat, useLanguage, useTranslation } from '@/i18n';
import { utcToZoned } from '@/lib/day';
import { Cascader, DatePicker, MultiSelect, NumberInput, Pill, Select, TagsInput, TextInput } from '@/ui';
import { AnyRecordSelect } from './base/any-record-select';
import { RecordMultiSelect, RecordSelect } from './base/record-select';
import { useRegionTree } from './base/region-tree';
import { asList, asText, isMoney } from './base/value-text';
import { parseSpan, spanText } from './duration/span';
import { operandShape } from './operand';
import css from './operand.module.css';

interface Props {
  field: Field;
  op: Operator;
  value: unknown;
  onChange: (value: unknown) => void;
  label: string;
}

interface OneProps {
  field: Field;
  value: unknown;
  onChange: (value: unknown) => void;
  label: string;
}

const useOptions = (field: Field) => {
  const language = useLanguage();
  return (field.options ?? []).map((option) => ({
    value: option.key,
    label: labelText(option.label, language, option.key),
    ...(option.color !== undefined && { color: option.color }),
  }));
};

const useUserOptions = () =>
  (useQuery(usersQuery()).data?.items ?? []).map((user) => ({ value: user.id, label: user.name || user.email }));

/** Conditions keep the id of a record alone. */
const refOf = (id: unknown, field: Field): Ref => ({ id: String(id), title: '', object: field.target ?? '' });

function MoneyOne({ field, value, onChange, label }: OneProps) {
  const { currency, currencySign } = useFormat();
  const current = isMoney(value) ? value : null;
  return (
    <NumberInput
      aria-label={label}
      value={current?.amount ?? null}
      decimals={field.scale ?? 2}
      leftSection={<span className={css.unit}>{currencySign(current?.currency ?? currency)}</span>}
      onChange={() => undefined}
      onText={(text) =>
        text !== (current?.amount ?? '') &&
        onChange(text === '' ? null : { amount: text, currency: current?.currency ?? currency })
      }
    />
  );
}

/** A length of time as hours and minutes; conditions keep seconds. */
function SpanOne({ value, onChange, label }: OneProps) {
  const [text, setText] = useState(typeof value === 'number' ? spanText(value) : '');
  return (
    <TextInput
      aria-label={label}
      placeholder="1:30"
      value={text}
      onChange={(next) => {
        setText(next);
        onChange(parseSpan(next));
      }}
    />
  );
}

function DateOne({ value, onChange, label }: OneProps) {
  const { timeZone } = useFormat();
  const text = asText(value);
  const day = text.length > 10 ? utcToZoned(text, timeZone).day : text;
  return <DatePicker aria-label={label} value={day || null} onChange={onChange} />;
}

function UserOne({ value, onChange, label }: OneProps) {
  return (
    <Select
      aria-label={label}
      options={useUserOptions()}
      value={asText(value) || null}
      onChange={onChange}
      searchable
    />
  );
}

function RegionOne({ value, onChange, label }: OneProps) {
  const tree = useRegionTree();
  const code = asText(value);
  return (
    <Cascader
      aria-label={label}
      options={tree.options}
      value={code === '' ? null : tree.path(code)}
      onChange={(path) => onChange(path?.at(-1) ?? null)}
    />
  );
}

function ChoiceOne({ field, value, onChange, label }: OneProps) {
  return (
    <Select
      aria-label={label}
      options={useOptions(field)}
      value={asText(value) || null}
      onChange={onChange}
      searchable
    />
  );
}

function BoolOne({ value, onChange, label }: OneProps) {
  const { t } = useTranslation('fields');
  const options = [
    { value: 'true', label: t('fields:yes') },
    { value: 'false', label: t('fields:no') },
  ];
  return (
    <Select
      aria-label={label}
      options={options}
      value={String(value === true)}
      onChange={(next) => onChange(next === 'true')}
    />
  );
}

/** One value in the form conditions keep it: keys, codes, ids, days, money. */
function One(props: OneProps) {
  const { field, value, onChange, label } = props;
  switch (field.type) {
    case 'duration':
      return <SpanOne {...props} />;
    case 'number':
    case 'percent':
    case 'rating':
      return <NumberInput aria-label={label} value={typeof value === 'number' ? value : null} onChange={onChange} />;
    case 'money':
      return <MoneyOne {...props} />;
    case 'date':
    case 'datetime':
    case 'birthday':
      return <DateOne {...props} />;
    case 'bool':
      return <BoolOne {...props} />;
    case 'choice':
    case 'multi_choice':
      return <ChoiceOne {...props} />;
    case 'user':
      return <UserOne {...props} />;
    case 'region':
      return <RegionOne {...props} />;
    case 'relation':
    case 'relation_many':
      return (
        <RecordSelect
          aria-label={label}
          object={field.target ?? ''}
          value={asText(value) === '' ? null : refOf(value, field)}
          onChange={(ref) => onChange(ref?.id ?? null)}
        />
      );
    case 'record':
      return (
        <AnyRecordSelect
          aria-label={label}
          value={asText(value) === '' ? null : { id: asText(value), title: '', object: '' }}
          onChange={(ref) => onChange(ref?.id ?? null)}
        />
      );
    default:
      return field.options === undefined || field.options.length === 0 ? (
        <TextInput aria-label={label} value={asText(value)} onChange={onChange} />
      ) : (
        <ChoiceOne {...props} />
      );
  }
}

function RegionMany({ value, onChange, label }: OneProps) {
  const { t } = useTranslation('common');
  const tree = useRegionTree();
  const codes = asList(value).map(String);
  return (
    <div className={css.regions}>
      {codes.map((code) => (
        <Pill
          key={code}
          color="gray"
          removeLabel={t('common:remove')}
          onRemove={() => onChange(codes.filter((other) => other !== code))}
        >
          {tree.name(code)}
        </Pill>
      ))}
      <div className={css.addRegion}>
        <Cascader
          aria-label={label}
          placeholder={t('common:add')}
          options={tree.options}
          value={null}
          onChange={(path) => {
            const code = path?.at(-1);
            if (code !== undefined && !codes.includes(code)) onChange([...codes, code]);
          }}
        />
      </div>
    </div>
  );
}

function UserMany({ value, onChange, label }: OneProps) {
  return (
    <MultiSelect
      aria-label={label}
      options={useUserOptions()}
      value={asList(value).map(String)}
      onChange={onChange}
      searchable
    />
  );
}

function Many(props: OneProps) {
  const { field, value, onChange, label } = props;
  const options = useOptions(field);
  const values = asList(value);
  if (field.type === 'region') return <RegionMany {...props} />;
  if (field.type === 'user') return <UserMany {...props} />;
  if (field.type === 'relation' || field.type === 'relation_many')
    return (
      <RecordMultiSelect
        aria-label={label}
        object={field.target ?? ''}
        value={values.map((id) => refOf(id, field))}
        onChange={(refs) => onChange(refs.map((ref) => ref.id))}
      />
    );
  if (options.length > 0)
    return (
      <MultiSelect
        aria-label={label}
        options={options}
        value={values.map(String)}
        onChange={onChange}
        searchable={options.length > 7}
      />
    );
  if (field.type === 'number' || field.type === 'percent' || field.type === 'rating')
    return (
      <TagsInput
        aria-label={label}
        value={values.map(String)}
        onChange={(next) => onChange(next.map(Number).filter((part) => !Number.isNaN(part)))}
      />
    );
  return <TagsInput aria-label={label} value={values.map(String)} onChange={onChange} />;
}

/** The right-hand side of a condition: which editor depends on the field's type and on the operator. */
export function OperandEditor({ field, op, value, onChange, label }: Props) {
  const { t } = useTranslation('fields');
  const shape = operandShape(op, field);
  switch (shape) {
    case 'none':
      return null;
    case 'text':
      return (
        <div className={css.operand}>
          <TextInput aria-label={label} value={asText(value)} onChange={onChange} />
        </div>
      );
    case 'one':
      return (
        <div className={css.operand}>
          <One field={field} value={value} onChange={onChange} label={label} />
        </div>
      );
    case 'many':
      return (
        <div className={css.wide}>
          <Many field={field} value={value} onChange={onChange} label={label} />
        </div>
      );
    case 'pair': {
      const [low, high] = asList(value);
      return (
        <>
          <div className={css.operand}>
            <One
              field={field}
              value={low}
              onChange={(next) => onChange([next, high ?? null])}
              label={t('fields:from', { name: label })}
            />
          </div>
          <span className={css.unit}>{t('fields:until')}</span>
          <div className={css.operand}>
            <One
              field={field}
              value={high}
              onChange={(next) => onChange([low ?? null, next])}
              label={t('fields:to', { name: label })}
            />
          </div>
        </>
      );
    }
    case 'days': {
      const days = typeof value === 'object' && value !== null ? (value as { days?: number }).days : value;
      return (
        <>
          <div className={css.days}>
            <NumberInput
              aria-label={label}
              value={typeof days === 'number' ? days : null}
              min={1}
              decimals={0}
              onChange={(next) => onChange(next === null ? null : { days: next })}
            />
          </div>
          <span className={css.unit}>{t('fields:days')}</span>
        </>
      );
    }
  }
}
