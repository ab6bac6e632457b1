import { type KeyboardEvent, type PointerEvent, useId, useState } from 'react';
import css from './chart.module.css';
import {
  areaPath,
  axisWords,
  type Box,
  linePath,
  nearest,
  niceRange,
  niceTicks,
  wordWidth,
  xOf,
  yOf,
} from './geometry';
import { useWidth } from './use-width';

export interface AreaPoint {
  key: string;
  /** Under the axis. */
  short: string;
  /** In the bubble, and spoken. */
  title: string;
  value: number;
  /** Further lines of the bubble. */
  notes?: readonly string[];
}
interface Props {
  label: string;
  points: readonly AreaPoint[];
  format: (value: number) => string;
  /** On the axis; shorter than `format`. */
  formatAxis?: (value: number) => string;
  height?: number;
  fromZero?: boolean;
  /** The same places of another span, as a dashed line behind. */
  before?: readonly number[];
  /** Enter or a press on a point. */
  onPick?: (at: number) => void;
}

/**
 * One series as line and area. It is a slider to assistive technology: arrows move the crosshair from point to point
 * and the value is spoken. A table with the same figures belongs beside it (the page's part).
 */
export function AreaChart({
  label,
  points,
  format,
  formatAxis = format,
  height = 220,
  fromZero = true,
  before = [],
  onPick,
}: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const gradient = useId();
  const values = [...points.map((point) => point.value), ...before];
  const { low, high } = niceRange(values, fromZero);
  // Between 8 and 9 there is no middle that could be told in whole numbers.
  const ticks = (low === 0 ? niceTicks(high) : [low, (low + high) / 2, high]).filter(
    (tick, at, all) => at === 0 || formatAxis(tick) !== formatAxis(all[at - 1] ?? 0),
  );
  const top = Math.max(high, ticks.at(-1) ?? high);
  const gutter = Math.max(28, ...ticks.map((tick) => wordWidth(formatAxis(tick)) + 12));
  const box: Box = { width, height, left: gutter, right: 14, top: 10, bottom: 24 };
  const places = points.map((point, index) => ({
    x: xOf(index, points.length, box),
    y: yOf(point.value, low, top, box),
  }));
  const floor = height - box.bottom;
  const shown = at === null ? undefined : points[at];
  const place = at === null ? undefined : places[at];

  const move = (event: PointerEvent<HTMLDivElement>) =>
    setAt(nearest(event.clientX - event.currentTarget.getBoundingClientRect().left, points.length, box));
  const onKeyDown = (event: KeyboardEvent) => {
    const last = points.length - 1;
    const now = at ?? last;
    const next = {
      ArrowLeft: Math.max(0, now - 1),
      ArrowDown: Math.max(0, now - 1),
      ArrowRight: Math.min(last, now + 1),
      ArrowUp: Math.min(last, now + 1),
      Home: 0,
      End: last,
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      setAt(next);
    }
    if (event.key === 'Enter') onPick?.(now);
  };
  const words = axisWords(
    points.map((point) => point.short),
    box,
  );
  const spoken = points[at ?? points.length - 1];
  return (
    <div
      ref={ref}
      className={css.chart}
      style={{ height }}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, points.length - 1)}
      aria-valuenow={at ?? Math.max(0, points.length - 1)}
      aria-valuetext={
        spoken === undefined ? '' : [spoken.title, format(spoken.value), ...(spoken.notes ?? [])].join(', ')
      }
      data-pick={onPick !== undefined || undefined}
      onPointerMove={move}
      onPointerLeave={() => setAt(null)}
      onFocus={(event) => event.currentTarget.matches(':focus-visible') && setAt(points.length - 1)}
      onBlur={() => setAt(null)}
      onKeyDown={onKeyDown}
      onClick={() => at !== null && onPick?.(at)}
    >
      <svg width={width} height={height} aria-hidden focusable="false">
        <defs>
          <linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" stopColor="var(--chart-1)" stopOpacity="0.22" />
            <stop offset="1" stopColor="var(--chart-1)" stopOpacity="0.02" />
          </linearGradient>
        </defs>
        {ticks.map((tick) => {
          const y = Math.round(yOf(tick, low, top, box)) + 0.5;
          return (
            <g key={tick}>
              <line x1={box.left} x2={width - box.right} y1={y} y2={y} className={css.gridline} />
              <text x={box.left - 8} y={y + 4} textAnchor="end" className={css.word}>
                {formatAxis(tick)}
              </text>
            </g>
          );
        })}
        {words.map((word) => (
          <text key={word.at} x={word.x} y={height - 6} textAnchor={word.anchor} className={css.word}>
            {points[word.at]?.short}
          </text>
        ))}
        {before.length > 0 && (
          <path
            d={linePath(
              before
                .slice(0, points.length)
                .map((value, index) => ({ x: xOf(index, points.length, box), y: yOf(value, low, top, box) })),
            )}
            className={css.past}
          />
        )}
        <path d={areaPath(places, floor)} fill={`url(#${gradient})`} />
        <path d={linePath(places)} className={css.line} />
        {points.length === 1 && <circle cx={places[0]?.x} cy={places[0]?.y} r={4} className={css.dot} />}
        {place !== undefined && (
          <>
            <line x1={place.x} x2={place.x} y1={box.top} y2={floor} className={css.cross} />
            <circle cx={place.x} cy={place.y} r={4} className={css.dot} />
          </>
        )}
      </svg>
      {shown !== undefined && place !== undefined && (
        <div
          className={css.bubble}
          data-side={place.x > width / 2 ? 'left' : 'right'}
          style={{ left: place.x, top: Math.min(Math.max(place.y, 40), height - 60) }}
        >
          <div className={css.bubbleTitle}>{shown.title}</div>
          <div className={css.bubbleValue}>{format(shown.value)}</div>
          {shown.notes?.map((note) => (
            <div key={note}>{note}</div>
          ))}
        </div>
      )}
    </div>
  );
}
