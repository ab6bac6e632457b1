export type { Condition, FieldCondition, Operator, RecordCondition, TraitCondition } from '@/api';
export { ConditionBuilder, type ConditionState } from './builder/condition-builder';
export { describeCondition, pathLabel, windowText } from './describe';
export { countConditions, isAll, isAny, isField, isNot, isRecord, isSegment, isTrait } from './tree';
export { decodeCondition, encodeCondition } from './url';
export { type ConditionIssue, type ConditionScope, validateCondition } from './validate';
