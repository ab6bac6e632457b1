import type { Condition } from '@/api';

export type * from '@/api/conditions';

/**
 * The tree as the builder edits it: every node has an id of its own (for React and for reducers), groups carry
 * their negation, and a leaf may still be empty.
 */
export interface GroupNode {
  id: string;
  kind: 'group';
  mode: 'all' | 'any';
  not: boolean;
  children: EditNode[];
}
export interface LeafNode {
  id: string;
  kind: 'leaf';
  not: boolean;
  /** null while the person has not chosen what to ask about. */
  condition: Condition | null;
}
export type EditNode = GroupNode | LeafNode;
