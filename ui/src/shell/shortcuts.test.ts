import { expect, it } from 'vitest';
import { createMatcher, pressOf, type Shortcut } from './shortcuts';

const make = (keys: string): Shortcut => ({ keys, label: keys, group: 'x', run: () => undefined });
const all = [make('g c'), make('g o'), make('c'), make('?'), make('mod+k')];
const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  pressOf({ key, metaKey: false, ctrlKey: false, altKey: false, shiftKey: false, ...more });

it('names presses', () => {
  expect(press('k', { ctrlKey: true })).toBe('mod+k');
  expect(press('?', { shiftKey: true })).toBe('?');
  expect(press('Escape')).toBe('esc');
});
it('follows a sequence, and only in time', () => {
  const matcher = createMatcher(1000);
  expect(matcher.press('g', all, 0)).toBeNull();
  expect(matcher.press('c', all, 500)?.keys).toBe('g c');
  expect(matcher.press('g', all, 1000)).toBeNull();
  expect(matcher.press('c', all, 2500)?.keys).toBe('c');
});
it('lets the newest of two equal shortcuts win', () => {
  const newest = make('c');
  expect(createMatcher().press('c', [...all, newest], 0)).toBe(newest);
});
