import { useState } from 'react';
import css from './chart.module.css';
import { areaPath, axisWords, type Box, nearest, niceTicks, type Point, stack, wordWidth, xOf, yOf } from './geometry';
import { hueFill, Swatch } from './stack-bar';
import { useWidth } from './use-width';

export interface Layer {
  key: string;
  label: string;
  color: string;
  values: readonly number[];
}
interface Props {
  label: string;
  layers: readonly Layer[];
  /** One per place. */
  titles: readonly string[];
  shorts: readonly string[];
  format: (value: number) => string;
  height?: number;
}

/** Layers over time; arrows or the pointer pick a moment and list its figures. */
export function StackedArea({ label, layers, titles, shorts, format, height = 220 }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const count = titles.length;
  const stacked = stack(layers.map((layer) => layer.values));
  const most = Math.max(1, ...(stacked.at(-1) ?? []).map((edge) => edge.high));
  const ticks = niceTicks(most);
  const high = ticks.at(-1) ?? most;
  const gutter = Math.max(28, ...ticks.map((tick) => wordWidth(format(tick)) + 12));
  const box: Box = { width, height, left: gutter, right: 14, top: 10, bottom: 24 };
  const cross = at === null ? null : xOf(at, count, box);
  const last = count - 1;
  /** A single moment is a band as wide as a bar, since a line of one point is nothing to see. */
  const overWidth = (points: readonly Point[]): readonly Point[] =>
    points.length === 1 ? points.flatMap(({ x, y }) => [-24, 24].map((aside) => ({ x: x + aside, y }))) : points;
  const spokenAt = (place: number) =>
    [titles[place] ?? '', ...layers.map((layer) => `${layer.label} ${format(layer.values[place] ?? 0)}`)].join(', ');
  return (
    <div
      ref={ref}
      className={css.chart}
      style={{ height }}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={at ?? Math.max(0, last)}
      aria-valuetext={spokenAt(at ?? last)}
      onPointerMove={(event) =>
        setAt(nearest(event.clientX - event.currentTarget.getBoundingClientRect().left, count, box))
      }
      onPointerLeave={() => setAt(null)}
      onFocus={(event) => event.currentTarget.matches(':focus-visible') && setAt(last)}
      onBlur={() => setAt(null)}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        setAt(Math.max(0, Math.min(last, (at ?? last) + step)));
      }}
    >
      <svg width={width} height={height} aria-hidden focusable="false">
        {ticks.map((tick) => {
          const y = Math.round(yOf(tick, 0, high, box)) + 0.5;
          return (
            <g key={tick}>
              <line x1={box.left} x2={width - box.right} y1={y} y2={y} className={css.gridline} />
              <text x={box.left - 8} y={y + 4} textAnchor="end" className={css.word}>
                {format(tick)}
              </text>
            </g>
          );
        })}
        {stacked.map((edges, index) => {
          const line = (side: 'low' | 'high') =>
            overWidth(edges.map((edge, place) => ({ x: xOf(place, count, box), y: yOf(edge[side], 0, high, box) })));
          return (
            <path
              key={layers[index]?.key}
              d={areaPath(line('high'), line('low'))}
              fill={hueFill(layers[index]?.color ?? 'gray')}
              className={css.layer}
            />
          );
        })}
        {axisWords(shorts, box).map((word) => (
          <text key={word.at} x={word.x} y={height - 6} textAnchor={word.anchor} className={css.word}>
            {shorts[word.at]}
          </text>
        ))}
        {cross !== null && <line x1={cross} x2={cross} y1={box.top} y2={height - box.bottom} className={css.cross} />}
      </svg>
      {at !== null && cross !== null && (
        <div className={css.bubble} data-side={cross > width / 2 ? 'left' : 'right'} style={{ left: cross, top: 20 }}>
          <div className={css.bubbleTitle}>{titles[at]}</div>
          {[...layers].reverse().map((layer) => (
            <div key={layer.key} className={css.bubbleRow}>
              <Swatch color={layer.color}>{layer.label}</Swatch>
              <span>{format(layer.values[at] ?? 0)}</span>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
