import type { Field, Operator } from '@/api';

/** What stands at the right of an operator. */
export type OperandShape = 'none' | 'one' | 'many' | 'pair' | 'days' | 'text';

export function operandShape(op: Operator, field: Field): OperandShape {
  switch (op) {
    case 'is_set':
    case 'is_not_set':
      return 'none';
    case 'between':
      return 'pair';
    case 'in':
    case 'not_in':
      return 'many';
    case 'within_last':
    case 'within_next':
    case 'anniversary_within':
      return 'days';
    case 'starts_with':
    case 'ends_with':
    case 'matches':
      return 'text';
    case 'contains':
    case 'not_contains':
      return field.type === 'tags' || field.type === 'multi_choice' || field.type === 'relation_many' ? 'one' : 'text';
    case '=':
    case '!=':
    case '>':
    case '>=':
    case '<':
    case '<=':
    case 'before':
    case 'after':
      return 'one';
  }
}

const NAMES = {
  '=': 'eq',
  '!=': 'ne',
  '>': 'gt',
  '>=': 'gte',
  '<': 'lt',
  '<=': 'lte',
  in: 'in',
  not_in: 'notIn',
  between: 'between',
  contains: 'contains',
  not_contains: 'notContains',
  starts_with: 'startsWith',
  ends_with: 'endsWith',
  matches: 'matches',
  is_set: 'isSet',
  is_not_set: 'isNotSet',
  within_last: 'withinLast',
  within_next: 'withinNext',
  before: 'before',
  after: 'after',
  anniversary_within: 'anniversaryWithin',
} as const satisfies Record<Operator, string>;

const DATES = new Set(['date', 'datetime', 'birthday']);
const LISTS = new Set(['tags', 'multi_choice', 'relation_many']);

/** The key of an operator's words; numbers, dates and lists read differently ("大于" and "晚于"). */
export function operatorKey(op: Operator, field: Field): string {
  const name = NAMES[op];
  if (DATES.has(field.type) && (op === '=' || op === '>' || op === '>=' || op === '<' || op === '<='))
    return `fields:op.date.${name}`;
  if (LISTS.has(field.type) && (op === 'in' || op === 'not_in')) return `fields:op.list.${name}`;
  return `fields:op.${name}`;
}

/** An empty value of the right shape, for a freshly chosen operator. */
export function emptyOperand(op: Operator, field: Field): unknown {
  switch (operandShape(op, field)) {
    case 'none':
      return undefined;
    case 'pair':
      return [null, null];
    case 'many':
      return [];
    case 'days':
      return { days: op === 'anniversary_within' ? 7 : 30 };
    case 'one':
      return field.type === 'bool' ? true : null;
    case 'text':
      return '';
  }
}

/** Whether a value is complete enough to be asked. */
export function operandComplete(op: Operator, field: Field, value: unknown): boolean {
  switch (operandShape(op, field)) {
    case 'none':
      return true;
    case 'pair':
      return (
        Array.isArray(value) &&
        value.length === 2 &&
        value.every((side) => side !== null && side !== '' && side !== undefined)
      );
    case 'many':
      return Array.isArray(value) && value.length > 0;
    case 'days': {
      const days = typeof value === 'object' && value !== null ? (value as { days?: unknown }).days : value;
      return typeof days === 'number' && days > 0;
    }
    case 'one':
    case 'text':
      return value !== null && value !== undefined && value !== '';
  }
}
