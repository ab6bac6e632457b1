export type { Condition, FieldCondition, Operator, RecordCondition, TraitCondition } from '@/api';
export { ConditionBuilder, type ConditionState } from './builder/condition-builder';
export { Sentence, useSentence } from './sentence';
export { countConditions, isAll, isAny, isField, isNot, isRandom, isRecord, isSegment, isTop, isTrait } from './tree';
export { decodeCondition, encodeCondition } from './url';
export { type ConditionIssue, type ConditionScope, validateCondition } from './validate';
