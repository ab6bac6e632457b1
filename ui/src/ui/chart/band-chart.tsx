import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import css from './chart.module.css';
import {
  areaPath,
  axisWords,
  type Box,
  linePath,
  nearest,
  niceTicks,
  type Point,
  wordWidth,
  xOf,
  yOf,
} from './geometry';
import { useWidth } from './use-width';

export interface BandPoint {
  key: string;
  /** Under the axis. */
  short: string;
  /** In the bubble, and spoken. */
  title: string;
  /** What was, or what is expected. */
  value: number;
  /** Set for what is expected: from the outside in. */
  band?: readonly [low95: number, low80: number, high80: number, high95: number];
  /** Not all of it is known yet. */
  partial?: boolean;
  /** A mark under the point. */
  marked?: boolean;
  /** A ring: it lies where nothing was expected. */
  odd?: boolean;
  notes?: readonly string[];
}
interface Props {
  label: string;
  points: readonly BandPoint[];
  format: (value: number) => string;
  formatAxis?: (value: number) => string;
  height?: number;
  onPick?: (at: number) => void;
}

/**
 * What was as a line, what is expected as a dashed one within two bands. It is a slider to assistive technology: arrows move the crosshair
 * from point to point and the value is spoken. A table with the same figures belongs beside it (the page's part).
 */
export function BandChart({ label, points, format, formatAxis = format, height = 300, onPick }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const split = points.findIndex((point) => point.band !== undefined);
  const known = split < 0 ? points.length : split;
  const most = Math.max(1e-9, ...points.map((point) => point.band?.[3] ?? point.value));
  const least = Math.min(0, ...points.map((point) => point.band?.[0] ?? point.value));
  const ticks = niceTicks(most).filter(
    (tick, index, all) => index === 0 || formatAxis(tick) !== formatAxis(all[index - 1] ?? 0),
  );
  const top = Math.max(most, ticks.at(-1) ?? most);
  const gutter = Math.max(28, ...ticks.map((tick) => wordWidth(formatAxis(tick)) + 12));
  const box: Box = { width, height, left: gutter, right: 14, top: 10, bottom: 24 };
  const x = (index: number) => xOf(index, points.length, box);
  const y = (value: number) => yOf(value, least, top, box);
  const places: Point[] = points.map((point, index) => ({ x: x(index), y: y(point.value) }));
  const floor = height - box.bottom;
  // The bands begin at the last value that was whole: from there on nothing is certain.
  const whole = points.slice(0, known).findLastIndex((point) => point.partial !== true);
  const edge = (side: 0 | 1 | 2 | 3): Point[] =>
    points.flatMap((point, index) => (point.band === undefined ? [] : [{ x: x(index), y: y(point.band[side]) }]));
  const start = places[whole];
  const opened = (side: 0 | 1 | 2 | 3) => (start === undefined ? edge(side) : [start, ...edge(side)]);
  const expected = split < 0 ? [] : [...(start === undefined ? [] : [start]), ...places.slice(split)];
  const shown = at === null ? undefined : points[at];
  const place = at === null ? undefined : places[at];

  const move = (event: PointerEvent<HTMLDivElement>) =>
    setAt(nearest(event.clientX - event.currentTarget.getBoundingClientRect().left, points.length, box));
  const onKeyDown = (event: KeyboardEvent) => {
    const last = points.length - 1;
    const now = at ?? Math.max(0, known - 1);
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
  const spoken = points[at ?? Math.max(0, known - 1)];
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
      aria-valuenow={at ?? Math.max(0, known - 1)}
      aria-valuetext={
        spoken === undefined ? '' : [spoken.title, format(spoken.value), ...(spoken.notes ?? [])].join(', ')
      }
      data-pick={(onPick !== undefined && shown?.band === undefined) || undefined}
      onPointerMove={move}
      onPointerLeave={() => setAt(null)}
      onFocus={(event) => event.currentTarget.matches(':focus-visible') && setAt(Math.max(0, known - 1))}
      onBlur={() => setAt(null)}
      onKeyDown={onKeyDown}
      onClick={() => at !== null && onPick?.(at)}
    >
      <svg width={width} height={height} aria-hidden focusable="false">
        {ticks.map((tick) => (
          <g key={tick}>
            <line
              x1={box.left}
              x2={width - box.right}
              y1={Math.round(y(tick)) + 0.5}
              y2={Math.round(y(tick)) + 0.5}
              className={css.gridline}
            />
            <text x={box.left - 8} y={y(tick) + 4} textAnchor="end" className={css.word}>
              {formatAxis(tick)}
            </text>
          </g>
        ))}
        {words.map((word) => (
          <text key={word.at} x={word.x} y={height - 6} textAnchor={word.anchor} className={css.word}>
            {points[word.at]?.short}
          </text>
        ))}
        {split >= 0 && (
          <>
            <path d={areaPath(opened(3), opened(0))} className={css.bandOuter} />
            <path d={areaPath(opened(2), opened(1))} className={css.bandInner} />
            <path d={linePath(expected)} className={css.expected} />
          </>
        )}
        <path d={linePath(places.slice(0, whole + 1))} className={css.line} />
        {points.map((point, index) => {
          const spot = places[index] as Point;
          return (
            <g key={point.key}>
              {point.marked && <path d={`M${spot.x - 3.5} ${floor}h7l-3.5 -5z`} className={css.mark} />}
              {point.partial && index < known && <circle cx={spot.x} cy={spot.y} r={3.5} className={css.partial} />}
              {point.odd && <circle cx={spot.x} cy={spot.y} r={5.5} className={css.odd} />}
            </g>
          );
        })}
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
          style={{ left: place.x, top: Math.min(Math.max(place.y, 50), height - 90) }}
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
