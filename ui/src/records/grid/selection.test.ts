import { expect, it } from 'vitest';
import {
  extend,
  headerState,
  isNothing,
  isSelected,
  NOTHING,
  type Selection,
  selectAll,
  selectedCount,
  selectIds,
  toggle,
} from './selection';

const ids = ['a', 'b', 'c', 'd', 'e'];
const idAt = (row: number) => ids[row];
const chosen = (selection: Selection) => ids.filter((id) => isSelected(selection, id));

it('toggles rows and counts them', () => {
  const one = toggle(NOTHING, 'b', 1);
  expect(isSelected(one, 'b')).toBe(true);
  expect(selectedCount(one, 1_000_000)).toBe(1);
  expect(isNothing(toggle(one, 'b', 1))).toBe(true);
});

it('extends from the anchor in both directions', () => {
  const from = toggle(NOTHING, 'c', 2);
  expect(chosen(extend(from, 4, idAt))).toEqual(['c', 'd', 'e']);
  expect(chosen(extend(from, 0, idAt))).toEqual(['a', 'b', 'c']);
});

it('takes rows away when the anchor was taken away', () => {
  const without = toggle(selectIds(ids), 'b', 1);
  expect(selectedCount(extend(without, 3, idAt), 5)).toBe(2);
});

it('leaves rows out that are not loaded, and starts fresh without an anchor', () => {
  const holes = (row: number) => (row === 2 ? undefined : ids[row]);
  expect(selectedCount(extend(toggle(NOTHING, 'a', 0), 3, holes), 5)).toBe(3);
  expect(selectedCount(extend(NOTHING, 3, idAt), 5)).toBe(1);
});

it('keeps everything but a few as exceptions', () => {
  const most = toggle(selectAll(), 'c', 2);
  expect(isSelected(most, 'c')).toBe(false);
  expect(isSelected(most, 'never loaded')).toBe(true);
  expect(selectedCount(most, 1_000_000)).toBe(999_999);
  expect(selectedCount(extend(most, 4, idAt), 1_000_000)).toBe(999_997);
});

it('knows the state of the header box', () => {
  expect(headerState(NOTHING, ids)).toBe('none');
  expect(headerState(selectIds(['a']), ids)).toBe('some');
  expect(headerState(selectIds(ids), ids)).toBe('all');
  expect(headerState(toggle(selectAll(), 'a', 0), ids)).toBe('some');
});
