import type { Condition, DeedFilter, DeedStep, Field, ObjectType, Operator, RecordCondition, Trait } from '@/api';
import { operandComplete } from '@/fields';
import { canRead, findField, findObject, resolvePath, traitAsField } from '@/metadata';
import {
  eventField,
  isProperty,
  isStep,
  lifecycleKind,
  lifecycleRows,
  lifecycleWindow,
  propertyField,
  propertyType,
  WINDOW_OF,
} from './events';
import {
  isAll,
  isAny,
  isEvent,
  isField,
  isLifecycle,
  isNot,
  isRandom,
  isRecord,
  isSegment,
  isSequence,
  isTop,
  isTrait,
} from './tree';

export type ConditionProblem =
  | 'empty'
  | 'unknown_field'
  | 'unknown_trait'
  | 'unknown_object'
  | 'missing_value'
  | 'bad_order';
export interface ConditionIssue {
  /** JSON pointer into the condition, as the server's check answers: "/all/0/value". */
  location: string;
  problem: ConditionProblem;
}

export interface ConditionScope {
  objects: readonly ObjectType[];
  traits: readonly Trait[];
}

/** The pseudo-field that a record condition compares: a count, or the aggregated field. */
export function aggregateField(condition: RecordCondition, scope: ConditionScope): Field | null {
  const count: Field = {
    key: 'count',
    type: 'number',
    label: {},
    section: '',
    required: false,
    unique: false,
    personal: false,
    read_only: true,
    operation_only: false,
    filterable: true,
    sortable: false,
    searchable: false,
    operators: ['>=', '<=', '=', '>', '<', 'between'],
    scale: 0,
    access: 'read',
  };
  const { aggregate = 'count' } = condition;
  if (typeof aggregate === 'string' || 'distinct' in aggregate) return count;
  const key = Object.values(aggregate)[0];
  const field = findField(findObject(scope.objects, condition.record), String(key));
  return field === undefined ? null : { ...field, operators: count.operators };
}

function operandIssues(op: Operator, field: Field, value: unknown, at: string): ConditionIssue[] {
  if (!operandComplete(op, field, value)) return [{ location: `${at}/value`, problem: 'missing_value' }];
  if (op === 'between' && Array.isArray(value)) {
    const [low, high] = value.map((side) =>
      typeof side === 'object' && side !== null && 'amount' in side ? Number(side.amount) : side,
    );
    if (low !== undefined && high !== undefined && low > high)
      return [{ location: `${at}/value`, problem: 'bad_order' }];
  }
  return [];
}

function recordIssues(condition: RecordCondition, scope: ConditionScope, at: string): ConditionIssue[] {
  const object = findObject(scope.objects, condition.record);
  if (object === undefined) return [{ location: `${at}/record`, problem: 'unknown_object' }];
  const issues = condition.where === undefined ? [] : issuesOf(condition.where, object.key, scope, `${at}/where`);
  if (condition.op === 'none') return issues;
  const field = aggregateField(condition, scope);
  if (field === null) return [...issues, { location: `${at}/aggregate`, problem: 'unknown_field' }];
  return [...issues, ...operandIssues(condition.op, field, condition.value, at)];
}

function filterIssues(filter: DeedFilter, at: string): ConditionIssue[] {
  if (isProperty(filter)) {
    if (filter.property === '') return [{ location: `${at}/property`, problem: 'missing_value' }];
    return operandIssues(filter.op, propertyField(filter.property, propertyType(filter)), filter.value, at);
  }
  if ('not' in filter) return filterIssues(filter.not, `${at}/not`);
  const [name, items] = Object.entries(filter)[0] as [string, DeedFilter[]];
  return items.flatMap((item, index) => filterIssues(item, `${at}/${name}/${index}`));
}

function stepIssues(step: DeedStep, at: string): ConditionIssue[] {
  const inner = step.where === undefined ? [] : filterIssues(step.where, `${at}/where`);
  return step.event === '' ? [{ location: `${at}/event`, problem: 'missing_value' }, ...inner] : inner;
}

/** Events, sequences and lifecycles. */
function behaviourIssues(condition: Condition, scope: ConditionScope, at: string): ConditionIssue[] {
  if (isEvent(condition)) {
    const field = eventField(condition);
    const own = field === null ? [] : operandIssues(condition.op as Operator, field, condition.value, at);
    return [...stepIssues(condition, at), ...own];
  }
  if (isSequence(condition))
    return condition.sequence.flatMap((step, index) => stepIssues(step, `${at}/sequence/${index}`));
  if (!isLifecycle(condition)) return [];
  const kind = lifecycleKind(condition);
  const rows = lifecycleRows(condition);
  const inner = isStep(rows)
    ? stepIssues(rows, `${at}/${kind}`)
    : recordIssues({ ...rows, op: 'none' }, scope, `${at}/${kind}`);
  const timed = lifecycleWindow(condition) !== undefined;
  return timed ? inner : [...inner, { location: `${at}/${WINDOW_OF[kind]}`, problem: 'missing_value' }];
}

function issuesOf(condition: Condition, object: string, scope: ConditionScope, at: string): ConditionIssue[] {
  const list = (children: Condition[], name: string) =>
    children.length === 0
      ? [{ location: at, problem: 'empty' as const }]
      : children.flatMap((child, index) => issuesOf(child, object, scope, `${at}/${name}/${index}`));
  if (isAll(condition)) return list(condition.all, 'all');
  if (isAny(condition)) return list(condition.any, 'any');
  if (isNot(condition)) return issuesOf(condition.not, object, scope, `${at}/not`);
  if (isField(condition)) {
    const path = resolvePath(scope.objects, object, condition.field);
    if (path === null || !canRead(path.field)) return [{ location: `${at}/field`, problem: 'unknown_field' }];
    return operandIssues(condition.op, path.field, condition.value, at);
  }
  if (isTrait(condition)) {
    const trait = scope.traits.find((candidate) => candidate.key === condition.trait);
    if (trait === undefined) return [{ location: `${at}/trait`, problem: 'unknown_trait' }];
    return operandIssues(condition.op, traitAsField(trait), condition.value, at);
  }
  if (isRecord(condition)) return recordIssues(condition, scope, at);
  if (isSegment(condition))
    return condition.segment === '' ? [{ location: `${at}/segment`, problem: 'missing_value' }] : [];
  if (isRandom(condition)) {
    const percent = Number(condition.random.percent);
    return percent > 0 && percent <= 100 ? [] : [{ location: `${at}/random/percent`, problem: 'missing_value' }];
  }
  if (isTop(condition)) {
    const { of, trait, count = 0, percent } = condition.top;
    const inner = of === undefined ? [] : issuesOf(of, object, scope, `${at}/top/of`);
    if (percent === undefined ? count < 1 : !(Number(percent) > 0))
      return [...inner, { location: `${at}/top/count`, problem: 'missing_value' }];
    const known = scope.traits.some((candidate) => candidate.key === trait);
    return known ? inner : [...inner, { location: `${at}/top/trait`, problem: 'unknown_trait' }];
  }
  return behaviourIssues(condition, scope, at);
}

/** What keeps a condition from being asked; the server checks again. */
export const validateCondition = (condition: Condition, object: string, scope: ConditionScope): ConditionIssue[] =>
  issuesOf(condition, object, scope, '');
