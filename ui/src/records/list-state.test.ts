import { expect, it } from 'vitest';
import type { Field, ObjectType } from '@/api';
import {
  decodeFrom,
  differs,
  encodeFrom,
  formatSort,
  jumpCondition,
  parseSort,
  readState,
  toQuery,
  writeState,
} from './list-state';
import { readListSearch } from './search';

const base = {
  columns: ['name', 'phone'],
  where: { field: 'kind', op: '=' as const, value: 'person' },
  sort: [{ field: 'created_at', desc: true }],
  kind: 'list' as const,
  options: { frozen: 2, totals: { spend: 'sum' as const } },
};

it('reads and writes sorts over fields and traits', () => {
  const sort = [
    { trait: 'spend_total', desc: true },
    { field: 'name', desc: false },
  ];
  expect(formatSort(sort)).toBe('-trait.spend_total,name');
  expect(parseSort('-trait.spend_total,name')).toEqual(sort);
  expect(parseSort('-,')).toBeNull();
  expect(parseSort(undefined)).toBeNull();
});

it('is the view alone when nothing was changed', () => {
  const state = readState({}, base);
  expect(state).toMatchObject(base);
  expect(differs(state, base)).toBe(false);
  expect(writeState(state, base)).toEqual({
    where: undefined,
    sort: undefined,
    cols: undefined,
    kind: undefined,
    opts: undefined,
  });
});

it('survives the address, Chinese values and an emptied filter too', () => {
  const where = { all: [{ field: 'tags', op: 'in' as const, value: ['流失风险'] }] };
  const changed = {
    ...readState({}, base),
    where,
    columns: ['name', 'trait.spend_total'],
    sort: [{ field: 'name', desc: false }],
  };
  const search = readListSearch(JSON.parse(JSON.stringify(writeState(changed, base))));
  expect(readState(search, base)).toEqual(changed);
  expect(differs(changed, base)).toBe(true);
  const emptied = { ...changed, where: null };
  expect(writeState(emptied, base).where).toBe('none');
  expect(readState({ where: 'none' }, base).where).toBeNull();
});

it('falls back when an address is broken', () => {
  const search = readListSearch({ where: '%%%', sort: 3, cols: '', deleted: 'maybe' });
  expect(readState(search, base)).toMatchObject(base);
});

it('keeps a value to start from', () => {
  const money = { amount: '500.00', currency: 'CNY' };
  expect(decodeFrom(encodeFrom(money))).toEqual(money);
  expect(decodeFrom('not base64 json')).toBeUndefined();
});

it('turns the value to start from into a condition in the direction of the sort', () => {
  const field = { key: 'net_amount', type: 'money', operators: ['>=', '<='] } as unknown as Field;
  expect(jumpCondition({ field: 'net_amount', desc: true }, field, 5)).toEqual({
    field: 'net_amount',
    op: '<=',
    value: 5,
  });
  expect(jumpCondition({ trait: 'spend' }, field, 5)).toEqual({ trait: 'spend', op: '>=', value: 5 });
  expect(jumpCondition({ field: 'x' }, { ...field, operators: ['in'] }, 5)).toBeNull();
});

it('asks only for what is shown', () => {
  const object = { title_field: 'name' } as ObjectType;
  const state = { ...readState({ q: '王' }, base), columns: ['phone', 'created_at', 'trait.orders'] };
  expect(toQuery(state, object)).toEqual({
    where: base.where,
    search: '王',
    sort: base.sort,
    fields: ['name', 'phone'],
    traits: ['orders'],
  });
});

it('keeps the kind and the settings in the address, the same ones in any order', () => {
  const state = readState({}, base);
  const options = { totals: { spend: 'sum' as const }, frozen: 2 };
  expect(differs({ ...state, options }, base)).toBe(false);
  const changed = {
    ...state,
    kind: 'board' as const,
    options: { board: { field: 'kind' }, collapsed: [], limits: {} },
  };
  expect(differs(changed, base)).toBe(true);
  const address = writeState(changed, base);
  expect(address.kind).toBe('board');
  const back = readState(readListSearch(address as Record<string, unknown>), base);
  expect(back).toMatchObject({ kind: 'board', options: { board: { field: 'kind' } } });
  expect(back.options).not.toHaveProperty('limits');
  expect(readState({ opts: 'rubbish!' }, base).options).toEqual(base.options);
});
