import { describe, expect, it } from 'vitest';
import type { Condition } from '@/api';
import { countConditions, group, leaf, reduceTree, toCondition, toSections } from './tree';
import type { GroupNode } from './types';
import { decodeCondition, encodeCondition } from './url';

const city: Condition = { field: 'city', op: 'in', value: ['上海', '杭州'] };
const spend: Condition = { trait: 'spend_total', op: '>', value: { amount: '5000', currency: 'CNY' } };
const none: Condition = { record: 'order', op: 'none', within: { days: 60 } };

const round = (condition: Condition | null) => toCondition(toSections(condition));

describe('conditions and their sections', () => {
  it.each<[string, Condition]>([
    ['a flat group', { all: [city, spend] }],
    ['a flat any', { any: [city, spend] }],
    ['two cards', { all: [{ all: [city] }, { any: [spend, none] }] }],
    ['cards joined by or', { any: [{ all: [city, none] }, { all: [spend] }] }],
    ['a nested group beside a leaf', { all: [city, { any: [spend, none] }] }],
    ['a negated group', { not: { any: [city, spend] } }],
    ['a negated leaf', { all: [city, { not: spend }] }],
  ])('keeps %s', (_, condition) => {
    expect(round(condition)).toEqual(condition);
  });
  it('puts a single leaf into a card', () => {
    expect(round(city)).toEqual({ all: [city] });
  });
  it('turns a double negation into none', () => {
    expect(round({ all: [{ not: { not: city } }] })).toEqual({ all: [city] });
  });
  it('leaves out what is empty', () => {
    expect(toCondition(group('all', [group('all', [leaf(), leaf(city)]), group('any')]))).toEqual({ all: [city] });
    expect(toCondition(group('all'))).toBeNull();
    expect(round(null)).toBeNull();
  });
  it('counts leaves', () => {
    expect(countConditions({ all: [city, { any: [spend, none] }] })).toBe(3);
    expect(countConditions(null)).toBe(0);
  });
});

describe('editing', () => {
  const start = () => toSections({ all: [{ all: [city, spend] }, { any: [none] }] });
  const card = (root: GroupNode, at: number) => root.children[at] as GroupNode;

  it('adds, sets and removes leaves; a card left empty goes too', () => {
    let root = start();
    const added = leaf();
    root = reduceTree(root, { type: 'add', parent: card(root, 0).id, node: added });
    root = reduceTree(root, { type: 'set', id: added.id, condition: none });
    expect(toCondition(root)).toEqual({ all: [{ all: [city, spend, none] }, { any: [none] }] });
    root = reduceTree(root, { type: 'remove', id: card(root, 1).children[0]?.id ?? '' });
    expect(root.children).toHaveLength(1);
    expect(toCondition(root)).toEqual({ all: [city, spend, none] });
  });
  it('changes mode and negation', () => {
    let root = start();
    root = reduceTree(root, { type: 'mode', id: root.id, mode: 'any' });
    root = reduceTree(root, { type: 'not', id: card(root, 0).id, not: true });
    expect(toCondition(root)).toEqual({ any: [{ not: { all: [city, spend] } }, { any: [none] }] });
  });
  it('duplicates with new ids', () => {
    const root = start();
    const next = reduceTree(root, { type: 'duplicate', id: card(root, 0).id });
    expect(next.children).toHaveLength(3);
    expect(card(next, 1).id).not.toBe(card(next, 0).id);
    expect(card(next, 1).children[0]?.id).not.toBe(card(next, 0).children[0]?.id);
  });
  it('moves a leaf, and refuses to move a group into itself', () => {
    const root = start();
    const moved = card(root, 0).children[0]?.id ?? '';
    const next = reduceTree(root, { type: 'move', id: moved, parent: card(root, 1).id, index: 0 });
    expect(toCondition(next)).toEqual({ all: [{ all: [spend] }, { any: [city, none] }] });
    expect(reduceTree(root, { type: 'move', id: root.id, parent: card(root, 0).id, index: 0 })).toBe(root);
  });
  it('keeps what it does not touch', () => {
    const root = start();
    const next = reduceTree(root, { type: 'mode', id: card(root, 1).id, mode: 'all' });
    expect(next.children[0]).toBe(root.children[0]);
  });
});

describe('addresses', () => {
  it('survive a round trip with Chinese text', () => {
    const condition: Condition = { all: [city, spend] };
    const text = encodeCondition(condition);
    expect(text).toMatch(/^[\w-]+$/);
    expect(decodeCondition(text)).toEqual(condition);
  });
  it('fall back to no filter', () => {
    expect(decodeCondition('%%%')).toBeNull();
    expect(decodeCondition(encodeCondition(null))).toBeNull();
    expect(decodeCondition('W10')).toBeNull();
  });
});
