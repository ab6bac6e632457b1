import { expect, test } from 'vitest';
import type { WebLink } from '@/api';
import { sankey } from './sankey';

const links: WebLink[] = [
  { step: 1, from: { name: '/' }, to: { name: '/a' }, count: 6 },
  { step: 1, from: { name: '/' }, to: { name: '', rest: true }, count: 9 },
  { step: 1, from: { name: '/' }, to: null, count: 5 },
  { step: 2, from: { name: '/a' }, to: { name: '/' }, count: 4 },
  { step: 2, from: { name: '/a' }, to: null, count: 2 },
];
const box = { width: 300, height: 200, bar: 10, gap: 8, backward: false };

test('what flows into a node is its height, others and the end stand below the named ones', () => {
  const { nodes, links: drawn } = sankey(links, box);
  const second = nodes.filter((node) => node.column === 1).toSorted((left, right) => left.y - right.y);
  expect(second.map((node) => [node.kind, node.value])).toEqual([
    ['named', 6],
    ['rest', 9],
    ['end', 5],
  ]);
  expect(nodes.find((node) => node.column === 0)?.value).toBe(20);
  for (const node of nodes) expect(node.y + node.height).toBeLessThanOrEqual(box.height + 1);
  expect(drawn).toHaveLength(5);
  expect(drawn.every((one) => one.path.startsWith('M'))).toBe(true);
});

test('ways back run from the right to the left', () => {
  const { nodes } = sankey(links, { ...box, backward: true });
  expect(nodes.find((node) => node.column === 0)?.x).toBe(290);
  expect(nodes.find((node) => node.column === 2)?.x).toBe(0);
});
