import { useState } from 'react';
import type { Condition, Field, ObjectType, Rollup } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { ConditionBuilder } from '@/records/conditions';
import { Checkbox, Select } from '@/ui';
import css from './formula.module.css';
import type { FormProps } from './object-field-form';

const FUNCS = ['count', 'sum', 'avg', 'min', 'max', 'first', 'last'] as const;
const AMOUNTS = new Set(['number', 'money', 'percent', 'duration', 'rating']);
const TIMES = new Set(['date', 'datetime']);
const APART = new Set(['address', 'birthday', 'json', 'relation_many']);

/** Whether a field can be summed up in a way. */
export function fits(func: string, field: Field): boolean {
  if (field.personal || field.access === 'hidden' || field.key === 'id' || APART.has(field.type)) return false;
  if (func === 'sum' || func === 'avg') return AMOUNTS.has(field.type);
  if (func === 'min' || func === 'max') return AMOUNTS.has(field.type) || TIMES.has(field.type);
  return field.formula === undefined && (field.type !== 'user' || field.custom === true);
}

/** What a rollup is made of: whose records, how, which field, and which of them count. */
export function RollupMembers({ object, draft, field, onChange, objections }: FormProps) {
  const { t } = useTranslation(['formula', 'shape']);
  const label = useLabel();
  const objects = useObjects();
  const rollup = draft.rollup ?? { object: '', via: '', func: 'count' };
  const child = findObject(objects, rollup.object);
  const [conditional, setConditional] = useState(rollup.where !== undefined);
  const set = (patch: Partial<Rollup>) => onChange({ rollup: { ...rollup, ...patch } });
  const offered = (of: ObjectType | undefined, func: string) =>
    (of?.fields ?? [])
      .filter((each) => fits(func, each))
      .map((each) => ({ value: each.key, label: label(each.label, each.key) }));
  const ordered = rollup.func === 'first' || rollup.func === 'last';
  const viaName = (each: ObjectType['related'][number]) => {
    const other = findObject(objects, each.object);
    const via = other?.fields.find((one) => one.key === each.via);
    const many = object.related.filter((one) => one.object === each.object).length > 1;
    return many
      ? `${label(each.label, each.object)} \u00b7 ${label(via?.label, each.via)}`
      : label(each.label, each.object);
  };
  return (
    <>
      <div className={css.pair}>
        <Select
          label={t('formula:rollup.of')}
          required
          disabled={field !== undefined}
          value={rollup.object === '' ? null : `${rollup.object}.${rollup.via}`}
          onChange={(next) => {
            const [of = '', via = ''] = (next ?? '').split('.');
            setConditional(false);
            onChange({ rollup: { object: of, via, func: rollup.func } });
          }}
          options={object.related.map((each) => ({ value: `${each.object}.${each.via}`, label: viaName(each) }))}
          empty={t('formula:rollup.nothing')}
          error={objections.at('rollup.object') ?? objections.at('rollup.via')}
        />
        <Select
          label={t('formula:rollup.how')}
          value={rollup.func}
          disabled={field !== undefined}
          onChange={(func) => {
            const { object: of, via, where } = rollup;
            onChange({ rollup: { object: of, via, func: func ?? 'count', ...(where !== undefined && { where }) } });
          }}
          options={FUNCS.map((each) => ({ value: each, label: t(`formula:rollup.func.${each}`) }))}
          error={objections.at('rollup.func')}
        />
        {rollup.func !== 'count' && (
          <Select
            label={t('formula:rollup.field')}
            required
            searchable
            disabled={field !== undefined}
            value={rollup.field ?? null}
            onChange={(next) => set({ field: next ?? '' })}
            options={offered(child, rollup.func)}
            error={objections.at('rollup.field')}
          />
        )}
        {ordered && (
          <Select
            label={t('formula:rollup.by')}
            value={rollup.by ?? null}
            placeholder={t('formula:rollup.byTime')}
            onChange={(next) => set({ by: next ?? '' })}
            options={offered(child, 'min').filter(
              (each) => child?.fields.find((one) => one.key === each.value)?.formula === undefined,
            )}
            error={objections.at('rollup.by')}
          />
        )}
      </div>
      {child !== undefined && (
        <Checkbox
          label={t('formula:rollup.some')}
          checked={conditional}
          onChange={(on) => {
            setConditional(on);
            if (!on) {
              const { where: _, ...rest } = rollup;
              onChange({ rollup: rest });
            }
          }}
        />
      )}
      {child !== undefined && conditional && (
        <ConditionBuilder
          key={rollup.object}
          object={rollup.object}
          where={(rollup.where as Condition | undefined) ?? null}
          onChange={(where) => {
            const { where: _, ...rest } = rollup;
            onChange({ rollup: where === null ? rest : { ...rest, where } });
          }}
        />
      )}
      {objections.at('rollup.where') !== undefined && (
        <p className={css.fault} role="alert">
          {objections.at('rollup.where')}
        </p>
      )}
      <p className="muted">{t('formula:rollup.kept')}</p>
    </>
  );
}

/** A mirror of a field of a related record: a formula that is a path. */
export function LookupMembers({ object, draft, onChange, objections }: FormProps) {
  const { t } = useTranslation('formula');
  const label = useLabel();
  const objects = useObjects();
  const [relation = '', key = ''] = (draft.formula ?? '').split('.');
  const target = findObject(objects, object.fields.find((each) => each.key === relation)?.target);
  return (
    <div className={css.pair}>
      <Select
        label={t('formula:lookup.over')}
        required
        value={relation === '' ? null : relation}
        onChange={(next) => onChange({ formula: `${next ?? ''}.` })}
        options={object.fields
          .filter((each) => each.type === 'relation' && each.formula === undefined)
          .map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
        empty={t('formula:lookup.nothing')}
      />
      <Select
        label={t('formula:lookup.field')}
        required
        searchable
        value={key === '' ? null : key}
        onChange={(next) => {
          const type = target?.fields.find((each) => each.key === next)?.type;
          onChange({ formula: `${relation}.${next ?? ''}`, ...(type !== undefined && { type }) });
        }}
        options={(target?.fields ?? [])
          .filter((each) => fits('first', each) || each.formula !== undefined)
          .map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
        error={objections.at('formula')}
      />
    </div>
  );
}
