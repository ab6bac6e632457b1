import type { CSSProperties } from 'react';
import { cx } from '@/lib/cx';
import { hueOf, initialOf } from '@/lib/hue';
import css from './avatar.module.css';

interface Props {
  name: string;
  size?: number;
  /** Round for people, square for records. */
  shape?: 'round' | 'square';
}

/** The first character on a ground whose hue is always the same for a name. Decoration: the name stands beside it. */
export function Avatar({ name, size = 20, shape = 'square' }: Props) {
  const hue = hueOf(name);
  const style = {
    '--av-size': `${size}px`,
    '--av-bg': `var(--tag-${hue}-bg)`,
    '--av-fg': `var(--tag-${hue}-fg)`,
  } as CSSProperties;
  return (
    <span className={cx(css.avatar, shape === 'round' && css.round)} style={style} aria-hidden>
      {initialOf(name)}
    </span>
  );
}
