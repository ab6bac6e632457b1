import { expect, it } from 'vitest';
import type { Field, RecordData } from '@/api';
import type { FieldContext } from '@/fields';
import { createFormatter } from '@/lib/format';
import type { GridColumn } from '../grid/columns';
import { namesIn, planPaste, writesOf } from './plan';

const column = (key: string, type: Field['type'], extra: Partial<Field> = {}, editable = true): GridColumn => ({
  key,
  field: { key, type, label: { en: key }, operators: [], ...extra } as Field,
  label: key,
  width: 100,
  align: 'left',
  sortable: true,
  editable,
});
const record = (id: string, fields: Record<string, unknown>, masked: string[] = []): RecordData => ({
  id,
  object: 'customer',
  title: id,
  version: 3,
  created_at: '',
  updated_at: '',
  created_by: null,
  deleted_at: null,
  fields,
  masked,
});
const context: FieldContext = {
  fmt: createFormatter({ locale: 'en', timeZone: 'UTC', currency: 'CNY' }),
  language: 'en',
  t: (key) => key,
};
const options = [
  { key: 'a', label: { en: 'Apple' } },
  { key: 'b', label: { en: 'Pear' } },
];
const columns = [
  column('name', 'text', { required: true }),
  column('kind', 'choice', { options }),
  column('height', 'number'),
  column('owner', 'user'),
  column('number', 'text', {}, false),
];
const anna = { id: 'usr_1', title: 'Anna', object: 'user' };
const people: Record<string, (typeof anna)[]> = { Anna: [anna], Bo: [anna, anna] };
const resolve = (_: Field, name: string) => people[name] ?? [];

it('says what would change, and why what does not', () => {
  const records = [
    record('r1', { name: 'One', kind: 'a', height: 3, owner: null, number: 'N1' }),
    record('r2', { name: 'Two', kind: null, height: null, owner: anna, number: 'N2' }),
  ];
  const texts = [
    ['Uno', 'Pear', '12.5', 'Anna', 'N9'],
    ['', 'Plum', 'tall', 'Bo', 'N2'],
  ];
  const plan = planPaste({ records, columns, texts }, context, resolve);
  const told = plan.map((cell) => [cell.record.id, cell.column.key, cell.refusal]);
  expect(told).toEqual([
    ['r1', 'name', null],
    ['r1', 'kind', null],
    ['r1', 'height', null],
    ['r1', 'owner', null],
    ['r1', 'number', 'fixed'],
    ['r2', 'name', 'needed'],
    ['r2', 'kind', 'unfit'],
    ['r2', 'height', 'unfit'],
    ['r2', 'owner', 'several'],
  ]);
  const writes = writesOf(plan);
  expect(writes).toHaveLength(1);
  expect(writes[0]).toMatchObject({
    fields: { name: 'Uno', kind: 'b', height: 12.5, owner: 'usr_1' },
    before: { name: 'One', kind: 'a', height: 3, owner: null },
    masked: false,
  });
});

it('leaves alone what is there already', () => {
  const records = [record('r1', { name: 'One', kind: 'a', height: 3, owner: anna })];
  const texts = [['One', 'Apple', '3', 'Anna', '']];
  expect(planPaste({ records, columns, texts }, context, resolve)).toEqual([]);
  expect(planPaste({ records, columns, texts: [['One', 'apple', '3.0', 'Anna', '']] }, context, resolve)).toEqual([]);
});

it('knows which old values cannot be put back, and which names to look up', () => {
  const phone = column('phone', 'text');
  const cells = { records: [record('r1', { phone: '138****' }, ['phone'])], columns: [phone], texts: [['139']] };
  expect(writesOf(planPaste(cells, context, resolve))[0]?.masked).toBe(true);
  const names = namesIn({
    records: [],
    columns,
    texts: [
      ['', '', '', ' Anna ', ''],
      ['', '', '', 'Anna', 'x'],
    ],
  });
  expect([...names.keys()]).toEqual(['owner']);
  expect([...(names.get('owner')?.names ?? [])]).toEqual(['Anna']);
});
