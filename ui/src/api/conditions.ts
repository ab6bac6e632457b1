import type { Money } from '@/lib/format';

/** The one condition tree of the product (lists, segments, classes, views): shared/design/interfaces.md. */
export type Condition =
  | AllOf
  | AnyOf
  | Not
  | FieldCondition
  | TraitCondition
  | RecordCondition
  | SegmentCondition
  | RandomCondition
  | TopCondition
  | OtherCondition;

export interface AllOf {
  all: Condition[];
}
export interface AnyOf {
  any: Condition[];
}
export interface Not {
  not: Condition;
}

export const OPERATORS = [
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'in',
  'not_in',
  'between',
  'contains',
  'not_contains',
  'starts_with',
  'ends_with',
  'matches',
  'is_set',
  'is_not_set',
  'within_last',
  'within_next',
  'before',
  'after',
  'anniversary_within',
] as const;
export type Operator = (typeof OPERATORS)[number];

export type ConditionScalar = string | number | boolean | Money | { days: number };
export type ConditionValue = ConditionScalar | ConditionScalar[];

/** A field of the object, or over to-one relations: "customer.city". */
export interface FieldCondition {
  field: string;
  op: Operator;
  value?: ConditionValue;
}
export interface TraitCondition {
  trait: string;
  op: Operator;
  value?: ConditionValue;
}

/** Whole local days, today included; [60, 30] is from 60 to 30 days ago; hours roll; from/to are inclusive. */
export type Window = { days: number | [number, number] } | { hours: number } | { from: string; to: string };
export type Aggregate =
  | 'count'
  | 'days'
  | { sum: string }
  | { avg: string }
  | { min: string }
  | { max: string }
  | { distinct: string };

/** Something about related records: at least 3 orders in 90 days, or (op "none") not a single one. */
export interface RecordCondition {
  record: string;
  where?: Condition;
  aggregate?: Aggregate;
  op: Operator | 'none';
  value?: ConditionValue;
  within?: Window;
  none_as?: number;
}
export interface SegmentCondition {
  segment: string;
  op: 'in' | 'not_in';
}
/** A share of everyone, the same people for the same salt. */
export interface RandomCondition {
  random: { percent: number | string; salt: string };
}
/** Those with the highest value of a trait, among everyone or among those of another condition. */
export interface TopCondition {
  top: { of?: Condition; trait: string; count: number };
}
/** Forms that this interface keeps whole and shows in words: event, sequence, first, stopped … */
export interface OtherCondition {
  event?: string;
  sequence?: unknown[];
  first?: unknown;
  stopped?: unknown;
  resumed?: unknown;
  list?: string;
  [key: string]: unknown;
}
