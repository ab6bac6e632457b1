import { expect, it } from 'vitest';
import type { FigureGroup } from '@/api';
import { GROUP_LIMIT, groupPages, layGroups, placeOf } from './grouping';

const group = (name: string, count: number): FigureGroup => ({
  values: [name],
  where: { field: 'kind', op: '=', value: name },
  count,
  measures: [],
});

it('lays open and closed groups out as rows', () => {
  const layout = layGroups([group('a', 3), group('b', 250), group('c', 2)], (one) => one.values[0] !== 'c');
  expect(layout.count).toBe(4 + 251 + 1);
  expect(layout.heads).toEqual([0, 4, 255]);
  expect(placeOf(layout, 0)).toEqual({ group: 0, record: -1 });
  expect(placeOf(layout, 3)).toEqual({ group: 0, record: 2 });
  expect(placeOf(layout, 4)).toEqual({ group: 1, record: -1 });
  expect(placeOf(layout, 254)).toEqual({ group: 1, record: 249 });
  expect(placeOf(layout, 255)).toEqual({ group: 2, record: -1 });
  expect(placeOf(layout, 256)).toBeNull();
  expect(
    placeOf(
      layGroups([], () => true),
      0,
    ),
  ).toBeNull();
});

it('asks for the pages that a window shows, each once', () => {
  const layout = layGroups([group('a', 3), group('b', 250), group('c', 2)], () => true);
  expect(groupPages(layout, { first: 0, end: 40 }, 100)).toEqual([
    { group: 0, page: 0 },
    { group: 1, page: 0 },
  ]);
  expect(groupPages(layout, { first: 100, end: 300 }, 100)).toEqual([
    { group: 1, page: 0 },
    { group: 1, page: 1 },
    { group: 1, page: 2 },
    { group: 2, page: 0 },
  ]);
});

it('shows a part of a group without end', () => {
  const layout = layGroups([group('a', 1_000_000), group('b', 1)], () => true);
  expect(layout.count).toBe(GROUP_LIMIT + 1 + 2);
  expect(placeOf(layout, GROUP_LIMIT + 1)).toEqual({ group: 1, record: -1 });
});
