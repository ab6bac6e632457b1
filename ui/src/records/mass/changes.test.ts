import { expect, it } from 'vitest';
import type { Field, ObjectType } from '@/api';
import { bulkFields, isComplete, opsOf, toChanges } from './changes';

const field = (key: string, type: Field['type'], more: Partial<Field> = {}): Field =>
  ({
    key,
    type,
    label: { en: key },
    section: 'basic',
    required: false,
    unique: false,
    personal: false,
    access: 'write',
    operators: [],
    ...more,
  }) as Field;
const object = {
  key: 'customer',
  fields: [
    field('note', 'text'),
    field('name', 'text', { required: true }),
    field('phone', 'phone', { personal: true }),
    field('code', 'text', { unique: true, required: true }),
    field('owner', 'user', { operation_only: true }),
    field('secret', 'text', { access: 'read' }),
    field('tags', 'tags'),
    field('points', 'number'),
    field('vip', 'bool'),
    field('store', 'relation', { target: 'store' }),
  ],
} as unknown as ObjectType;

it('offers what may be given to many at once', () => {
  expect(bulkFields(object).map((one) => one.key)).toEqual(['note', 'name', 'phone', 'tags', 'points', 'vip', 'store']);
  expect(opsOf(object.fields[2] as Field)).toEqual(['clear']);
  expect(opsOf(object.fields[1] as Field)).toEqual(['set']);
  expect(opsOf(object.fields[6] as Field)).toEqual(['add', 'remove', 'set', 'clear']);
});

it('sends complete lines alone, as the server takes them', () => {
  const lines = [
    { key: 1, field: 'vip', op: 'set' as const, value: false },
    { key: 2, field: 'tags', op: 'add' as const, value: ['a'] },
    { key: 3, field: 'tags', op: 'remove' as const, value: [] },
    { key: 4, field: 'store', op: 'set' as const, value: { id: 'sto_1', object: 'store', title: '一店' } },
    { key: 5, field: 'note', op: 'clear' as const, value: 'left over' },
    { key: 6, field: '', op: 'set' as const, value: 'x' },
  ];
  expect(lines.map(isComplete)).toEqual([true, true, false, true, true, false]);
  expect(toChanges(lines, object)).toEqual([
    { field: 'vip', op: 'set', value: false },
    { field: 'tags', op: 'add', value: ['a'] },
    { field: 'store', op: 'set', value: 'sto_1' },
    { field: 'note', op: 'clear' },
  ]);
});
