import type {
  Condition,
  EventCondition,
  FieldCondition,
  LifecycleCondition,
  RandomCondition,
  RecordCondition,
  SegmentCondition,
  SequenceCondition,
  TopCondition,
  TraitCondition,
} from '@/api';
import type { EditNode, GroupNode, LeafNode } from './types';

let counter = 0;
const freshId = (): string => {
  counter += 1;
  return `n${counter}`;
};

export const isAll = (condition: Condition): condition is { all: Condition[] } =>
  'all' in condition && Array.isArray(condition.all);
export const isAny = (condition: Condition): condition is { any: Condition[] } =>
  'any' in condition && Array.isArray(condition.any);
export const isNot = (condition: Condition): condition is { not: Condition } =>
  'not' in condition && typeof condition.not === 'object';
export const isField = (condition: Condition): condition is FieldCondition =>
  'field' in condition && typeof condition.field === 'string';
export const isTrait = (condition: Condition): condition is TraitCondition =>
  'trait' in condition && typeof condition.trait === 'string';
export const isRecord = (condition: Condition): condition is RecordCondition =>
  'record' in condition && typeof condition.record === 'string';
export const isSegment = (condition: Condition): condition is SegmentCondition =>
  'segment' in condition && typeof condition.segment === 'string';

/** A fixed list; the same as "in" of its segment. */
export const isList = (condition: Condition): condition is { list: string; op?: 'in' | 'not_in' } =>
  'list' in condition && typeof condition.list === 'string';

const isPlain = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isRandom = (condition: Condition): condition is RandomCondition =>
  'random' in condition && isPlain(condition.random);
export const isTop = (condition: Condition): condition is TopCondition => 'top' in condition && isPlain(condition.top);

export const isEvent = (condition: Condition): condition is EventCondition =>
  'event' in condition && typeof condition.event === 'string';
export const isSequence = (condition: Condition): condition is SequenceCondition =>
  'sequence' in condition && Array.isArray(condition.sequence);
export const isLifecycle = (condition: Condition): condition is LifecycleCondition =>
  (['first', 'stopped', 'resumed'] as const).some((kind) => kind in condition && isPlain(condition[kind as never]));

export const group = (mode: GroupNode['mode'], children: EditNode[] = []): GroupNode => ({
  id: freshId(),
  kind: 'group',
  mode,
  not: false,
  children,
});
export const leaf = (condition: Condition | null = null): LeafNode => ({
  id: freshId(),
  kind: 'leaf',
  not: false,
  condition,
});

function toNode(condition: Condition, not: boolean): EditNode {
  if (isNot(condition)) return toNode(condition.not, !not);
  if (isAll(condition))
    return {
      ...group(
        'all',
        condition.all.map((child) => toNode(child, false)),
      ),
      not,
    };
  if (isAny(condition))
    return {
      ...group(
        'any',
        condition.any.map((child) => toNode(child, false)),
      ),
      not,
    };
  return { ...leaf(condition), not };
}

/**
 * A condition as sections: the root joins cards, each card is a group. Leaves directly under the root are gathered
 * into one card, so that a flat filter is one card.
 */
export function toSections(condition: Condition | null | undefined): GroupNode {
  if (condition === null || condition === undefined) return group('all');
  const node = toNode(condition, false);
  if (node.kind === 'leaf') return group('all', [group('all', [node])]);
  const onlyGroups = node.children.length > 0 && node.children.every((child) => child.kind === 'group');
  if (onlyGroups && !node.not) return node;
  return group('all', node.children.length === 0 && !node.not ? [] : [node]);
}

export function fromNode(node: EditNode): Condition | null {
  const bare = node.kind === 'leaf' ? node.condition : fromGroup(node);
  if (bare === null) return null;
  return node.not ? { not: bare } : bare;
}

function fromGroup(node: GroupNode): Condition | null {
  const children = node.children.map(fromNode).filter((child) => child !== null);
  if (children.length === 0) return null;
  return node.mode === 'all' ? { all: children } : { any: children };
}

/** The condition of an edited tree; empty leaves and groups are left out, null when nothing is left. */
export function toCondition(root: GroupNode): Condition | null {
  const sections = root.children
    .map((child) => ({ child, condition: fromNode(child) }))
    .filter((section) => section.condition !== null);
  const only = sections[0];
  if (only === undefined) return null;
  if (sections.length === 1 && !root.not) return only.condition;
  return fromNode(root);
}

export const hasEmptyLeaf = (node: EditNode): boolean =>
  node.kind === 'leaf' ? node.condition === null : node.children.some(hasEmptyLeaf);
export const countLeaves = (node: EditNode): number =>
  node.kind === 'leaf' ? 1 : node.children.reduce((sum, child) => sum + countLeaves(child), 0);

/** The number of asked leaves in a condition, for badges such as "筛选 3". */
export const countConditions = (condition: Condition | null | undefined): number => countLeaves(toSections(condition));

export type TreeAction =
  | { type: 'add'; parent: string; node: EditNode }
  | { type: 'remove'; id: string }
  | { type: 'duplicate'; id: string }
  | { type: 'set'; id: string; condition: Condition | null }
  | { type: 'mode'; id: string; mode: GroupNode['mode'] }
  | { type: 'not'; id: string; not: boolean }
  | { type: 'move'; id: string; parent: string; index: number }
  | { type: 'reset'; root: GroupNode };

function change(node: EditNode, id: string, edit: (node: EditNode) => EditNode): EditNode {
  if (node.id === id) return edit(node);
  if (node.kind === 'leaf') return node;
  const children = node.children.map((child) => change(child, id, edit));
  return children.every((child, at) => child === node.children[at]) ? node : { ...node, children };
}

export function findNode(node: EditNode, id: string): EditNode | null {
  if (node.id === id) return node;
  if (node.kind === 'leaf') return null;
  for (const child of node.children) {
    const found = findNode(child, id);
    if (found !== null) return found;
  }
  return null;
}

/** Takes a node out. Groups that this leaves empty go with it, except the root. */
function without(root: GroupNode, id: string): GroupNode {
  const children = root.children
    .filter((child) => child.id !== id)
    .map((child) => (child.kind === 'group' ? without(child, id) : child))
    .filter(
      (child, _, all) =>
        !(child.kind === 'group' && child.children.length === 0 && all.length > 0 && wasEmptied(root, child)),
    );
  return { ...root, children };
}
const wasEmptied = (before: GroupNode, child: GroupNode): boolean => {
  const old = before.children.find((other) => other.id === child.id);
  return old?.kind === 'group' && old.children.length > 0;
};

const copy = (node: EditNode): EditNode =>
  node.kind === 'leaf' ? { ...node, id: freshId() } : { ...node, id: freshId(), children: node.children.map(copy) };

function insert(root: GroupNode, parent: string, index: number, node: EditNode): GroupNode {
  return change(root, parent, (found) => {
    if (found.kind === 'leaf') return found;
    const children = [...found.children];
    children.splice(Math.max(0, Math.min(index, children.length)), 0, node);
    return { ...found, children };
  }) as GroupNode;
}

function duplicate(root: GroupNode, id: string): GroupNode {
  const at = root.children.findIndex((child) => child.id === id);
  const found = root.children[at];
  if (found !== undefined) return insert(root, root.id, at + 1, copy(found));
  return { ...root, children: root.children.map((child) => (child.kind === 'group' ? duplicate(child, id) : child)) };
}

export function reduceTree(root: GroupNode, action: TreeAction): GroupNode {
  switch (action.type) {
    case 'add':
      return insert(root, action.parent, Number.MAX_SAFE_INTEGER, action.node);
    case 'remove':
      return without(root, action.id);
    case 'duplicate':
      return duplicate(root, action.id);
    case 'set':
      return change(root, action.id, (node) =>
        node.kind === 'leaf' ? { ...node, condition: action.condition } : node,
      ) as GroupNode;
    case 'mode':
      return change(root, action.id, (node) =>
        node.kind === 'group' ? { ...node, mode: action.mode } : node,
      ) as GroupNode;
    case 'not':
      return change(root, action.id, (node) => ({ ...node, not: action.not })) as GroupNode;
    case 'move': {
      const node = findNode(root, action.id);
      if (node === null || findNode(node, action.parent) !== null) return root;
      return insert(without(root, action.id), action.parent, action.index, node);
    }
    case 'reset':
      return action.root;
  }
}
