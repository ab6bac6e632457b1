import { describe, expect, it } from 'vitest';
import type { ClassRule } from '@/api';
import { draftOf, faultsOf, freshKey, isRest, placeFor, reduceClasses, sameClasses, sendable } from './classes';

const rule = (key: string, where: ClassRule['where'] = { trait: 'orders', op: '=', value: 1 }): ClassRule => ({
  key,
  label: { en: key },
  color: 'teal',
  where,
});
const start = draftOf([rule('a'), { ...rule('b'), rank: 3, count: 9 }, rule('c'), rule('rest', null)]);
const keys = (draft: typeof start) => draft.classes.map((each) => each.key).join('');

describe('order', () => {
  it('moves a class, never past "everyone else"', () => {
    expect(keys(reduceClasses(start, { type: 'move', key: 'a', to: 2 }))).toBe('bcarest');
    expect(keys(reduceClasses(start, { type: 'move', key: 'a', to: 9 }))).toBe('bcarest');
    expect(keys(reduceClasses(start, { type: 'move', key: 'c', to: -1 }))).toBe('cabrest');
    expect(reduceClasses(start, { type: 'move', key: 'rest', to: 0 })).toBe(start);
    expect(reduceClasses(start, { type: 'move', key: 'b', to: 1 })).toBe(start);
  });
  it('adds before "everyone else"', () => {
    const draft = reduceClasses(start, { type: 'add', class: rule('new', null) });
    expect(keys(draft)).toBe('abcnewrest');
    expect(isRest(draft.classes, 3)).toBe(false);
    expect(isRest(draft.classes, 4)).toBe(true);
  });
  it('adds "everyone else" once', () => {
    expect(reduceClasses(start, { type: 'addRest', class: rule('x') })).toBe(start);
    const without = reduceClasses(start, { type: 'remove', key: 'rest' });
    expect(keys(reduceClasses(without, { type: 'addRest', class: rule('x') }))).toBe('abcx');
  });
});

describe('edits', () => {
  it('changes one language, the colour, the condition', () => {
    let draft = reduceClasses(start, { type: 'label', key: 'a', language: 'zh-CN', text: '甲' });
    draft = reduceClasses(draft, { type: 'color', key: 'a', color: 'red' });
    draft = reduceClasses(draft, { type: 'where', key: 'a', where: null });
    expect(draft.classes[0]).toMatchObject({ label: { en: 'a', 'zh-CN': '甲' }, color: 'red', where: null });
    expect(faultsOf(draft.classes)).toEqual(new Map([['a', 'where']]));
    expect(
      faultsOf(reduceClasses(start, { type: 'label', key: 'b', language: 'en', text: ' ' }).classes).get('b'),
    ).toBe('label');
  });
  it('sends only what the server keeps', () => {
    expect(sendable(start.classes)[1]).toEqual({ ...rule('b'), rank: 3 });
    expect(sameClasses(start.classes, draftOf([...start.classes]).classes)).toBe(true);
    expect(sameClasses(start.classes, reduceClasses(start, { type: 'remove', key: 'a' }).classes)).toBe(false);
  });
  it('finds a free key', () => {
    expect(freshKey([rule('class_2')])).toBe('class_3');
    expect(freshKey([])).toBe('class_1');
  });
});

it('finds the place of a dragged row by the middles it passed', () => {
  const rows = [0, 50, 100].map((top) => ({ top, height: 40 }));
  expect(placeFor(-20, rows, 1)).toBe(0);
  expect(placeFor(75, rows, 1)).toBe(1);
  expect(placeFor(130, rows, 1)).toBe(2);
  expect(placeFor(500, rows, 0)).toBe(2);
});
