import type { CSSProperties, ReactNode } from 'react';
import { type Hue, toHue } from '@/lib/hue';
import css from './chart.module.css';

export interface StackPart {
  key: string;
  label: string;
  color: string;
  value: number;
}
const soft = (hue: Hue): string => `color-mix(in srgb, var(--tag-${hue}-fg) 60%, var(--tag-${hue}-bg))`;
const FILLS: Record<Hue, string> = {
  gray: soft('gray'),
  blue: 'var(--chart-2)',
  violet: 'var(--chart-4)',
  teal: 'var(--chart-1)',
  green: 'var(--chart-7)',
  amber: 'var(--chart-3)',
  orange: 'var(--chart-8)',
  red: 'var(--chart-5)',
  pink: soft('pink'),
};
/** The tone of one of the nine hues for areas and bars. */
export const hueFill = (color: string): string => FILLS[toHue(color)];

/** Shares of a whole in one bar; the legend beside it has the figures. */
export function StackBar({
  parts,
  label,
  height = 12,
}: {
  parts: readonly StackPart[];
  label: string;
  height?: number;
}) {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <div className={css.stackBar} style={{ height }} role="img" aria-label={label}>
      {parts
        .filter((part) => part.value > 0)
        .map((part) => (
          <span
            key={part.key}
            title={part.label}
            style={{ flexGrow: part.value / Math.max(total, 1), '--fill': hueFill(part.color) } as CSSProperties}
          />
        ))}
    </div>
  );
}

/** A swatch with its name, in the tone of the bar. */
export function Swatch({ color, children }: { color: string; children: ReactNode }) {
  return (
    <span className={css.swatch} style={{ '--fill': hueFill(color) } as CSSProperties}>
      {children}
    </span>
  );
}
