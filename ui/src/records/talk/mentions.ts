const MENTION = /@\[([^\]\n]{1,200})\]\((usr_[0-9A-Za-z]+)\)/g;

export type Part = { text: string; person?: string };

/** A stored text in parts: plain ones, and people. */
export function partsOf(body: string): Part[] {
  const parts: Part[] = [];
  let last = 0;
  for (const found of body.matchAll(MENTION)) {
    if (found.index > last) parts.push({ text: body.slice(last, found.index) });
    parts.push({ text: `@${found[1] ?? ''}`, person: found[2] ?? '' });
    last = found.index + found[0].length;
  }
  if (last < body.length) parts.push({ text: body.slice(last) });
  return parts;
}

/** A stored text as one types it, and whom its names mean. */
export function readable(body: string): { text: string; people: Map<string, string> } {
  const people = new Map<string, string>();
  const text = partsOf(body)
    .map((part) => {
      if (part.person !== undefined) people.set(part.text.slice(1), part.person);
      return part.text;
    })
    .join('');
  return { text, people };
}

/** A typed text as it is stored: the names that were chosen become people. Longer names go first. */
export function storable(text: string, people: ReadonlyMap<string, string>): string {
  const names = [...people.keys()].sort((left, right) => right.length - left.length);
  if (names.length === 0) return text;
  const any = new RegExp(`@(${names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`, 'g');
  return text.replace(any, (_, name: string) => `@[${name.replaceAll(']', '')}](${people.get(name) ?? ''})`);
}
