import css from './radar.module.css';

export interface RadarAxis {
  key: string;
  label: string;
  /** From −1 (the least) over 0 (the mean) to 1 (the most). */
  value: number;
}
interface Props {
  label: string;
  axes: readonly RadarAxis[];
  size?: number;
}

const RINGS = [-0.5, 0.5, 1];
const SHORT = 7;

/** A shape over axes, with the mean as a dashed ring. What it shows must stand beside it as words too (the page's part). */
export function Radar({ label, axes, size = 200 }: Props) {
  const middle = size / 2;
  const reach = middle - 30;
  const spot = (index: number, value: number) => {
    const angle = (2 * Math.PI * index) / axes.length - Math.PI / 2;
    const far = (reach * (Math.max(-1, Math.min(1, value)) + 1)) / 2;
    return { x: middle + far * Math.cos(angle), y: middle + far * Math.sin(angle), angle };
  };
  const ring = (value: number) =>
    `${axes
      .map((_, index) => spot(index, value))
      .map((at, index) => `${index === 0 ? 'M' : 'L'}${at.x.toFixed(1)} ${at.y.toFixed(1)}`)
      .join('')}Z`;
  const shape = `${axes
    .map((axis, index) => spot(index, axis.value))
    .map((at, index) => `${index === 0 ? 'M' : 'L'}${at.x.toFixed(1)} ${at.y.toFixed(1)}`)
    .join('')}Z`;
  return (
    <svg width={size} height={size} role="img" aria-label={label} className={css.radar}>
      {RINGS.map((value) => (
        <path key={value} d={ring(value)} className={css.ring} />
      ))}
      <path d={ring(0)} className={css.mean} />
      {axes.map((axis, index) => {
        const end = spot(index, 1);
        const side = Math.cos(end.angle);
        const word = axis.label.length > SHORT ? `${axis.label.slice(0, SHORT - 1)}\u2026` : axis.label;
        let anchor: 'start' | 'middle' | 'end' = 'middle';
        if (side > 0.3) anchor = 'start';
        if (side < -0.3) anchor = 'end';
        return (
          <g key={axis.key}>
            <line x1={middle} y1={middle} x2={end.x} y2={end.y} className={css.ring} />
            <text
              x={Math.max(2, Math.min(size - 2, end.x + 6 * side))}
              y={end.y + 12 * Math.sin(end.angle) + 4}
              textAnchor={anchor}
              className={css.word}
            >
              {word}
            </text>
          </g>
        );
      })}
      <path d={shape} className={css.shape} />
    </svg>
  );
}
