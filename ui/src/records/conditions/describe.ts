import type { Condition, Field, Operator, RecordCondition } from '@/api';
import { asList, type FieldContext, kindOf, operandShape, operatorKey } from '@/fields';
import { labelText } from '@/i18n';
import { findObject, resolvePath, traitAsField } from '@/metadata';
import { isAll, isAny, isField, isNot, isRecord, isSegment, isTrait } from './tree';
import { aggregateField, type ConditionScope } from './validate';

interface Describe extends ConditionScope {
  context: FieldContext;
  /** Names that are known already: region codes, record ids, segment keys. */
  names?: ReadonlyMap<string, string>;
}

function valueText(op: Operator, field: Field, value: unknown, { context, names }: Describe): string {
  const one = (item: unknown): string => {
    if (typeof item === 'string' && names?.has(item)) return names.get(item) ?? item;
    return kindOf(field.type).text(item, field, context) || (typeof item === 'object' ? '' : String(item ?? ''));
  };
  switch (operandShape(op, field)) {
    case 'none':
      return '';
    case 'pair':
      return asList(value).map(one).join(' ~ ');
    case 'days': {
      const days = typeof value === 'object' && value !== null ? (value as { days?: number }).days : value;
      return context.t('fields:nDays', { count: Number(days ?? 0) });
    }
    case 'many':
    case 'one':
    case 'text':
      return asList(value)
        .map(one)
        .join(context.language === 'zh-CN' ? '\u3001' : ', ');
  }
}

const join = (...parts: string[]): string => parts.filter(Boolean).join(' ');

function comparison(name: string, op: Operator, field: Field, value: unknown, describe: Describe): string {
  return join(name, describe.context.t(operatorKey(op, field)), valueText(op, field, value, describe));
}

/** "订单 › 会员等级" for a path over relations. */
export function pathLabel(path: string, object: string, { objects, context }: Describe): string {
  const found = resolvePath(objects, object, path);
  if (found === null) return path;
  return [...found.through, found.field]
    .map((step) => labelText(step.label, context.language, step.key))
    .join(' \u203a ');
}

export function windowText(within: RecordCondition['within'], { context }: Pick<Describe, 'context'>): string {
  if (within === undefined) return '';
  if ('days' in within)
    return typeof within.days === 'number'
      ? context.t('conditions:window.lastDays', { count: within.days })
      : context.t('conditions:window.betweenDays', { from: within.days[0], to: within.days[1] });
  if ('hours' in within) return context.t('conditions:window.lastHours', { count: within.hours });
  return `${context.fmt.date(within.from)} ~ ${context.fmt.date(within.to)}`;
}

/** A short sentence for one condition; the server's `sentence` is the exact one. */
export function describeCondition(condition: Condition, object: string, describe: Describe): string {
  const { objects, traits, context } = describe;
  const many = (children: Condition[], word: string) =>
    children.map((child) => describeCondition(child, object, describe)).join(` ${context.t(word)} `);
  if (isAll(condition)) return many(condition.all, 'conditions:and');
  if (isAny(condition)) return many(condition.any, 'conditions:or');
  if (isNot(condition)) return `${context.t('conditions:not')} (${describeCondition(condition.not, object, describe)})`;
  if (isField(condition)) {
    const found = resolvePath(objects, object, condition.field);
    if (found === null) return condition.field;
    return comparison(
      pathLabel(condition.field, object, describe),
      condition.op,
      found.field,
      condition.value,
      describe,
    );
  }
  if (isTrait(condition)) {
    const trait = traits.find((candidate) => candidate.key === condition.trait);
    if (trait === undefined) return condition.trait;
    return comparison(
      labelText(trait.label, context.language, trait.key),
      condition.op,
      traitAsField(trait),
      condition.value,
      describe,
    );
  }
  if (isRecord(condition)) {
    const label = labelText(findObject(objects, condition.record)?.label, context.language, condition.record);
    const when = windowText(condition.within, describe);
    if (condition.op === 'none') return join(when, context.t('conditions:behaviour.none', { name: label }));
    const field = aggregateField(condition, describe);
    return field === null ? label : join(when, comparison(label, condition.op, field, condition.value, describe));
  }
  if (isSegment(condition)) {
    const word = condition.op === 'in' ? 'conditions:segment.in' : 'conditions:segment.notIn';
    return join(context.t(word), describe.names?.get(condition.segment) ?? condition.segment);
  }
  return context.t('conditions:advanced');
}
