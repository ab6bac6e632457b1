import { describe, expect, it } from 'vitest';
import type { Field, FieldType } from '@/api';
import { createFormatter } from '@/lib/format';
import type { FieldContext } from './kind';
import { emptyOperand, operandComplete, operatorKey } from './operand';
import { FIELD_KINDS, kindOf, operatorsOf } from './registry';

const field = (type: FieldType, more: Partial<Field> = {}): Field => ({
  key: 'f',
  type,
  label: { en: 'F' },
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
const context: FieldContext = {
  fmt: createFormatter({ locale: 'zh-CN', timeZone: 'Asia/Shanghai', currency: 'CNY' }),
  language: 'zh-CN',
  t: (key, values) => (values === undefined ? key : `${key} ${Object.values(values).join()}`),
};
const options = [
  { key: 'gold', label: { 'zh-CN': '金卡', en: 'Gold' }, color: 'amber' },
  { key: 'black', label: { 'zh-CN': '黑金', en: 'Black' }, color: 'violet' },
];

const text = (type: FieldType, value: unknown, more: Partial<Field> = {}) =>
  kindOf(type).text(value, field(type, more), context);
const parse = (type: FieldType, input: string, more: Partial<Field> = {}) =>
  kindOf(type).parse(input, field(type, more), context);

describe('values as text', () => {
  it.each<[FieldType, unknown, string]>([
    ['money', { amount: '1286.50', currency: 'CNY' }, '¥1,286.50'],
    ['number', 1234.5, '1,234.5'],
    ['phone', '138****1234', '138 **** 1234'],
    ['region', { code: '330106', name: '浙江省 / 杭州市 / 西湖区' }, '浙江省 / 杭州市 / 西湖区'],
    ['relation', { id: 'sto_1', title: '静安店', object: 'store' }, '静安店'],
    ['datetime', '2026-11-11T17:30:00Z', '2026-11-12 01:30'],
    ['birthday', { calendar: 'solar', year: 1990, month: 5, day: 3, leap: false }, '1990-05-03'],
    ['birthday', { calendar: 'lunar', year: null, month: 8, day: 15, leap: false }, 'fields:birthday.asLunar 08-15'],
    ['tags', ['a', 'b'], 'a, b'],
  ])('%s', (type, value, expected) => {
    expect(text(type, value)).toBe(expected);
  });
  it('shows options by their label, from fields (a key) and from traits (key and label)', () => {
    expect(text('choice', 'gold', { options })).toBe('金卡');
    expect(text('choice', { key: 'vip', label: { 'zh-CN': '贵宾' } }, { options })).toBe('贵宾');
    expect(text('multi_choice', ['gold', 'black'], { options })).toBe('金卡, 黑金');
  });
  it.each(Object.keys(FIELD_KINDS) as FieldType[])('%s is empty without a value', (type) => {
    expect(text(type, null)).toBe('');
    expect(text(type, undefined)).toBe('');
  });
});

describe('pasted text', () => {
  it('is read in the forms people write', () => {
    expect(parse('money', '￥1,286.50')).toEqual({ ok: true, value: { amount: '1286.50', currency: 'CNY' } });
    expect(parse('date', '2026/11/1')).toEqual({ ok: true, value: '2026-11-01' });
    expect(parse('choice', '金卡', { options })).toEqual({ ok: true, value: 'gold' });
    expect(parse('multi_choice', 'Gold、黑金', { options })).toEqual({ ok: true, value: ['gold', 'black'] });
    expect(parse('bool', '是')).toEqual({ ok: true, value: true });
    expect(parse('datetime', '2026-11-12 01:30')).toEqual({ ok: true, value: '2026-11-11T17:30:00Z' });
  });
  it('is refused rather than guessed', () => {
    for (const [type, input] of [
      ['number', '12a4'],
      ['date', '2026-02-30'],
      ['choice', '白金'],
      ['bool', 'maybe'],
      ['json', '{'],
    ] as const)
      expect(parse(type, input, { options }).ok).toBe(false);
  });
  it('clears with nothing', () => {
    expect(parse('money', ' ')).toEqual({ ok: true, value: null });
  });
});

it('writes ids and codes where records hold objects', () => {
  expect(kindOf('relation').toWrite({ id: 'sto_1', title: 'x', object: 'store' })).toBe('sto_1');
  expect(kindOf('region').toWrite({ code: '330000', name: 'x' })).toBe('330000');
  expect(kindOf('address').toWrite({ region: { code: '330000', name: 'x' }, street: 'y' })).toEqual({
    region: '330000',
    street: 'y',
  });
});

describe('operators', () => {
  it.each(Object.keys(FIELD_KINDS) as FieldType[])('%s starts incomplete unless nothing is needed', (type) => {
    for (const op of operatorsOf(field(type))) {
      const complete = operandComplete(op, field(type), emptyOperand(op, field(type)));
      const free =
        ['is_set', 'is_not_set', 'within_last', 'within_next', 'anniversary_within'].includes(op) || type === 'bool';
      expect([op, complete]).toEqual([op, free]);
    }
  });
  it('are worded by type', () => {
    expect(operatorKey('>', field('number'))).toBe('fields:op.gt');
    expect(operatorKey('>', field('date'))).toBe('fields:op.date.gt');
    expect(operatorKey('in', field('tags'))).toBe('fields:op.list.in');
  });
});
