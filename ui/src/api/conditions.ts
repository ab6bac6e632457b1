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
  | EventCondition
  | SequenceCondition
  | LifecycleCondition
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
  top: { of?: Condition; trait: string; count?: number; percent?: number | string };
}
/** A property of an event, or a value that every event may have ("$channel"). The value says how a property is read. */
export interface PropertyCondition {
  property: string;
  op: Operator;
  value?: ConditionValue;
}
export type DeedFilter = PropertyCondition | { all: DeedFilter[] } | { any: DeedFilter[] } | { not: DeedFilter };
/** Events of a name ("*": all) that fulfil a filter. */
export interface DeedStep {
  event: string;
  where?: DeedFilter;
}
/** Did something at least so often, or (op "none") not at all; without an operator once is enough. */
export interface EventCondition extends DeedStep {
  aggregate?: Aggregate;
  op?: Operator | 'none';
  value?: ConditionValue;
  within?: Window;
  none_as?: number;
}
/** One thing after another. */
export interface SequenceCondition {
  sequence: DeedStep[];
  op?: 'did' | 'did_not';
  within?: Window;
}
export type LifecycleRows = DeedStep | { record: string; where?: Condition };
/** For the first time in a window; not any more since; again after a pause. */
export type LifecycleCondition =
  | { first: LifecycleRows; within: Window }
  | { stopped: LifecycleRows; for: Window }
  | { resumed: LifecycleRows; after: Window };

/** Forms that this interface keeps whole and shows in words. */
export interface OtherCondition {
  list?: string;
  [key: string]: unknown;
}
