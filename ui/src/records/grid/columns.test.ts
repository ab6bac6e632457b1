import { expect, it } from 'vitest';
import type { Field, ObjectType, Trait } from '@/api';
import {
  clampWidth,
  columnCatalogue,
  columnEdges,
  columnWindow,
  makeColumns,
  moveColumn,
  toggleColumn,
} from './columns';

const field = (key: string, type: Field['type'], extra: Partial<Field> = {}) =>
  ({
    key,
    type,
    label: { 'zh-CN': key, en: key },
    section: 'basic',
    access: 'write',
    sortable: true,
    operators: [],
    ...extra,
  }) as Field;
const object = {
  key: 'customer',
  title_field: 'name',
  actions: { create: true, update: true, delete: true, import: true },
  fields: [
    field('name', 'text'),
    field('phone', 'phone', { section: 'contact' }),
    field('secret', 'text', { access: 'hidden' }),
    field('orders', 'relation_many'),
    field('created_at', 'datetime', { access: 'read', read_only: true, section: 'system' }),
  ],
} as unknown as ObjectType;
const traits = [
  {
    key: 'spend',
    type: 'money',
    label: { en: 'Spend' },
    group: { en: 'Value' },
    group_key: 'value',
    operators: [],
    sortable: true,
  },
] as unknown as Trait[];
const options = { object, traits, language: 'en' as const, widths: { phone: 10_000 } };

it('puts the title first and leaves out what cannot be shown', () => {
  const columns = makeColumns(['trait.spend', 'phone', 'secret', 'orders', 'gone', 'phone'], options);
  expect(columns.map((column) => column.key)).toEqual(['name', 'trait.spend', 'phone']);
  expect(columns.map((column) => column.editable)).toEqual([true, false, true]);
  expect(columns[1]?.align).toBe('right');
});

it('keeps widths within reason', () => {
  expect(makeColumns(['phone'], options)[1]?.width).toBe(640);
  expect(clampWidth(3)).toBe(64);
});

it('moves and toggles columns, never the title', () => {
  const keys = ['name', 'a', 'b', 'c'];
  expect(moveColumn(keys, 'c', 1)).toEqual(['name', 'c', 'a', 'b']);
  expect(moveColumn(keys, 'a', 9)).toEqual(['name', 'b', 'c', 'a']);
  expect(moveColumn(keys, 'b', 0)).toEqual(['name', 'b', 'a', 'c']);
  expect(moveColumn(keys, 'name', 2)).toEqual(keys);
  expect(toggleColumn(keys, 'b')).toEqual(['name', 'a', 'c']);
  expect(toggleColumn(keys, 'd')).toEqual([...keys, 'd']);
  expect(toggleColumn(keys, 'name')).toEqual(keys);
});

it('offers readable fields by section and traits by group', () => {
  const groups = columnCatalogue(object, traits, 'en');
  expect(groups.map((group) => [group.key, group.columns.map((column) => column.key)])).toEqual([
    ['basic', ['name']],
    ['contact', ['phone']],
    ['system', ['created_at']],
    ['trait.value', ['trait.spend']],
  ]);
});

it('draws only the columns in sight', () => {
  const wide = Array.from({ length: 30 }, (_, at) => ({ width: at === 0 ? 230 : 100 })) as never[];
  const edges = columnEdges(wide);
  expect(edges.at(-1)).toBe(2900);
  expect(columnWindow(edges, 0, 500)).toEqual([1, 8]);
  const [first, end] = columnWindow(edges, 1500, 500);
  expect(first).toBeGreaterThan(10);
  expect(end).toBeLessThan(25);
  expect(columnWindow(edges, 99_999, 500)[1]).toBe(30);
  expect(columnWindow([0], 0, 500)).toEqual([1, 1]);
});
