import { IconX } from '@tabler/icons-react';
import type { CSSProperties, ReactNode } from 'react';
import { cx } from '@/lib/cx';
import { toHue } from '@/lib/hue';
import css from './pill.module.css';

interface Props {
  /** One of the nine hues; without one, the same text always has the same hue. */
  color?: string | null | undefined;
  children: ReactNode;
  className?: string;
}

const hueFor = (color: string | null | undefined, children: ReactNode) =>
  toHue(color, typeof children === 'string' ? children : '');

const tone = (hue: string) =>
  ({ '--pill-bg': `var(--tag-${hue}-bg)`, '--pill-fg': `var(--tag-${hue}-fg)` }) as CSSProperties;

/** A tag: soft ground, dark text. For multiple choice and tags. */
export function Pill({
  color,
  children,
  className,
  onRemove,
  removeLabel,
}: Props & { onRemove?: () => void; removeLabel?: string }) {
  return (
    <span className={cx(css.pill, className)} style={tone(hueFor(color, children))}>
      {children}
      {onRemove !== undefined && (
        <button type="button" className={css.remove} aria-label={removeLabel} onClick={onRemove}>
          <IconX size={12} />
        </button>
      )}
    </span>
  );
}

/** A single choice: a dot and plain text. */
export function Dot({ color, children, className }: Props) {
  return (
    <span className={cx(css.dotted, className)} style={tone(toHue(color))}>
      <span className={css.dot} aria-hidden />
      <span className="truncate">{children}</span>
    </span>
  );
}
