/** The nine hues of tags and avatars, in tokens.css as --tag-<hue>-bg and --tag-<hue>-fg. */
export const HUES = ['gray', 'blue', 'violet', 'teal', 'green', 'amber', 'orange', 'red', 'pink'] as const;
export type Hue = (typeof HUES)[number];

export function isHue(value: unknown): value is Hue {
  return typeof value === 'string' && (HUES as readonly string[]).includes(value);
}

/** The same text always has the same hue; grey is kept for "nothing chosen". */
export function hueOf(text: string): Hue {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 16777619);
  }
  return HUES[1 + ((hash >>> 0) % (HUES.length - 1))] ?? 'blue';
}

export function toHue(color: string | null | undefined, text = ''): Hue {
  if (isHue(color)) return color;
  if (color === 'yellow') return 'amber';
  if (color === 'purple') return 'violet';
  if (color === 'cyan' || color === 'jade') return 'teal';
  return text === '' ? 'gray' : hueOf(text);
}

/** The sign on an avatar: the first character, or two initials of a Latin name. */
export function initialOf(name: string): string {
  const trimmed = name.trim();
  const first = [...trimmed][0];
  if (first === undefined) return '?';
  return first.toUpperCase();
}
