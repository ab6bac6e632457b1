import { fromNode } from './tree';
import type { EditNode, GroupNode } from './types';

/**
 * Where each node of the edited tree stands in the condition that it becomes, as a JSON pointer. Mirrors toCondition:
 * empty nodes are left out and count for nothing, a single card is the condition itself.
 */
export function nodeLocations(root: GroupNode): Map<string, string> {
  const places = new Map<string, string>();
  const walk = (node: EditNode, at: string) => {
    if (fromNode(node) === null) return;
    places.set(node.id, at);
    if (node.kind === 'group') walkChildren(node, node.not ? `${at}/not` : at);
  };
  const walkChildren = (node: GroupNode, at: string) => {
    let place = 0;
    for (const child of node.children) {
      if (fromNode(child) === null) continue;
      walk(child, `${at}/${node.mode}/${place}`);
      place += 1;
    }
  };
  const sections = root.children.filter((child) => fromNode(child) !== null);
  const [only] = sections;
  if (sections.length === 1 && only !== undefined && !root.not) walk(only, '');
  else walkChildren(root, root.not ? '/not' : '');
  return places;
}

/** For each message its innermost node; several of one node are joined. */
export function faultsByNode(
  root: GroupNode,
  faults: readonly { location: string; message: string }[],
): Map<string, string> {
  const places = [...nodeLocations(root)].sort((left, right) => right[1].length - left[1].length);
  const found = new Map<string, string>();
  for (const fault of faults) {
    const home = places.find(([, place]) => fault.location === place || fault.location.startsWith(`${place}/`));
    if (home === undefined) continue;
    const [id] = home;
    const before = found.get(id);
    if (before !== fault.message) found.set(id, before === undefined ? fault.message : `${before} ${fault.message}`);
  }
  return found;
}
