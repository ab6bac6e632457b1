import { expect, it } from 'vitest';
import type { Condition, Field, ObjectType, Trait } from '@/api';
import { validateCondition } from './validate';

const field = (key: string, type: Field['type'], more: Partial<Field> = {}): Field => ({
  key,
  type,
  label: { en: key },
  section: 'basic',
  required: false,
  unique: false,
  personal: false,
  read_only: false,
  operation_only: false,
  filterable: true,
  sortable: true,
  searchable: false,
  operators: [],
  access: 'write',
  ...more,
});
const object = (key: string, fields: Field[]): ObjectType => ({
  key,
  label: { en: key },
  plural: { en: key },
  icon: 'box',
  prefix: key.slice(0, 3),
  title_field: 'name',
  standard: true,
  hidden: false,
  actions: { create: true, update: true, delete: true, import: true },
  fields,
  default_columns: [],
  default_sort: [],
  related: [],
});
const scope = {
  objects: [
    object('customer', [field('name', 'text'), field('age', 'number'), field('secret', 'text', { access: 'hidden' })]),
    object('order', [field('total', 'money'), field('customer', 'relation', { target: 'customer' })]),
  ],
  traits: [
    {
      key: 'orders',
      label: {},
      group: {},
      group_key: 'g',
      type: 'integer',
      definition: {},
      operators: [],
      sortable: true,
    } satisfies Trait,
  ],
};
const check = (condition: Condition, key = 'customer') =>
  validateCondition(condition, key, scope).map((issue) => `${issue.location} ${issue.problem}`);

it('accepts complete conditions, over relations too', () => {
  expect(
    check({
      all: [
        { field: 'name', op: 'contains', value: 'a' },
        { trait: 'orders', op: '>=', value: 2 },
      ],
    }),
  ).toEqual([]);
  expect(check({ field: 'customer.name', op: 'is_set' }, 'order')).toEqual([]);
});
it('names the place of what is missing', () => {
  expect(check({ all: [{ field: 'name', op: '=' }, { any: [{ trait: 'gone', op: '=', value: 1 }] }] })).toEqual([
    '/all/0/value missing_value',
    '/all/1/any/0/trait unknown_trait',
  ]);
});
it('treats a hidden field as unknown', () => {
  expect(check({ field: 'secret', op: 'is_set' })).toEqual(['/field unknown_field']);
});
it('wants the lower bound first', () => {
  expect(check({ field: 'age', op: 'between', value: [30, 20] })).toEqual(['/value bad_order']);
});
it('looks into conditions about records', () => {
  expect(check({ record: 'order', op: 'none', within: { days: 60 } })).toEqual([]);
  expect(
    check({ record: 'order', aggregate: { sum: 'total' }, op: '>=', where: { field: 'nope', op: 'is_set' } }),
  ).toEqual(['/where/field unknown_field', '/value missing_value']);
});
