import type { WebLink, WebNode } from '@/api';

/** A node of a column; `end` is where ways are over. */
export interface SankeyNode {
  key: string;
  column: number;
  kind: 'named' | 'rest' | 'end';
  name: string;
  value: number;
  x: number;
  y: number;
  height: number;
}
export interface SankeyLink {
  link: WebLink;
  from: SankeyNode;
  to: SankeyNode;
  /** The ribbon. */
  path: string;
}
export interface SankeyBox {
  width: number;
  height: number;
  /** Of a node. */
  bar: number;
  gap: number;
  /** The first step stands at the right. */
  backward: boolean;
}

const kindOf = (node: WebNode | null): SankeyNode['kind'] => {
  if (node === null) return 'end';
  return node.rest === true ? 'rest' : 'named';
};
const ORDER = { named: 0, rest: 1, end: 2 };
const keyOf = (column: number, node: WebNode | null): string => `${column}:${kindOf(node)}:${node?.name ?? ''}`;

function collect(links: readonly WebLink[]): Map<string, SankeyNode> {
  const nodes = new Map<string, SankeyNode>();
  const at = (column: number, node: WebNode | null): SankeyNode => {
    const key = keyOf(column, node);
    const made: SankeyNode = nodes.get(key) ?? {
      key,
      column,
      kind: kindOf(node),
      name: node?.name ?? '',
      value: 0,
      x: 0,
      y: 0,
      height: 0,
    };
    nodes.set(key, made);
    return made;
  };
  for (const link of links) {
    // What enters a node leaves it again, to the next one or to the end: each is counted once.
    if (link.step === 1) at(0, link.from).value += link.count;
    at(link.step, link.to).value += link.count;
  }
  return nodes;
}

/** Places nodes in columns, the widest at the top, others and the end below, and draws a ribbon for every link. */
export function sankey(links: readonly WebLink[], box: SankeyBox): { nodes: SankeyNode[]; links: SankeyLink[] } {
  const nodes = collect(links);
  const columns = new Map<number, SankeyNode[]>();
  for (const node of nodes.values()) columns.set(node.column, [...(columns.get(node.column) ?? []), node]);
  const last = Math.max(1, ...columns.keys());
  const most = Math.max(1, ...[...columns.values()].map((list) => list.length));
  const largest = Math.max(1, ...[...columns.values()].map((list) => list.reduce((sum, node) => sum + node.value, 0)));
  const scale = Math.max(0, box.height - (most - 1) * box.gap) / largest;
  for (const [column, list] of columns) {
    list.sort(
      (left, right) =>
        ORDER[left.kind] - ORDER[right.kind] || right.value - left.value || left.name.localeCompare(right.name),
    );
    const place = ((box.backward ? last - column : column) * (box.width - box.bar)) / last;
    let y = 0;
    for (const node of list) {
      node.x = place;
      node.y = y;
      node.height = Math.max(2, node.value * scale);
      y += node.height + box.gap;
    }
  }
  const used = new Map<string, number>();
  const take = (key: string, size: number): number => {
    const at = used.get(key) ?? 0;
    used.set(key, at + size);
    return at;
  };
  const drawn = links.flatMap((link): SankeyLink[] => {
    const from = nodes.get(keyOf(link.step - 1, link.from));
    const to = nodes.get(keyOf(link.step, link.to));
    if (from === undefined || to === undefined) return [];
    return [{ link, from, to, path: '' }];
  });
  drawn.sort((left, right) => left.to.y - right.to.y);
  for (const one of drawn) {
    const size = Math.max(1, one.link.count * scale);
    const out = one.from.y + take(`out ${one.from.key}`, size);
    const into = one.to.y + take(`in ${one.to.key}`, size);
    const start = one.from.x + (box.backward ? 0 : box.bar);
    const end = one.to.x + (box.backward ? box.bar : 0);
    const middle = (start + end) / 2;
    one.path = `M${start} ${out}C${middle} ${out} ${middle} ${into} ${end} ${into}V${into + size}C${middle} ${into + size} ${middle} ${out + size} ${start} ${out + size}Z`;
  }
  return { nodes: [...nodes.values()], links: drawn };
}
