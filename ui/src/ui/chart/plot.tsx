import { useState } from 'react';
import css from './chart.module.css';
import { axisWords, type Box, linePath, nearest, niceTicks, type Point, wordWidth, xOf, yOf } from './geometry';
import { useWidth } from './use-width';

export interface PlotSeries {
  key: string;
  label: string;
  /** One for each place; null where there is none. */
  values: readonly (number | null)[];
}
interface Props {
  label: string;
  kind: 'bars' | 'lines';
  /** Names of the places. */
  x: readonly string[];
  series: readonly PlotSeries[];
  format: (value: number) => string;
  height?: number;
}

const colorOf = (at: number): string => `var(--chart-${(at % 8) + 1})`;

/** Bars beside each other or lines over each other, with their names above; arrows or the pointer list the figures of a place. */
export function Plot({ label, kind, x, series, format, height = 220 }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const all = series.flatMap((one) => one.values.filter((value) => value !== null));
  const high = niceTicks(Math.max(...all, 0)).at(-1) ?? 1;
  const deep = Math.min(...all, 0);
  const low = deep < 0 ? -(niceTicks(-deep).at(-1) ?? 0) : 0;
  const ticks = [
    ...(low < 0
      ? niceTicks(-low)
          .slice(1)
          .reverse()
          .map((tick) => -tick)
      : []),
    ...niceTicks(high),
  ];
  const gutter = Math.max(28, ...ticks.map((tick) => wordWidth(format(tick)) + 12));
  const band = kind === 'bars' ? (width - gutter - 14) / Math.max(1, x.length) : 0;
  const box: Box = { width, height, left: gutter + band / 2, right: 14 + band / 2, top: 10, bottom: 24 };
  const place = (spot: number) => xOf(spot, x.length, box);
  const level = (value: number) => yOf(value, low, high, box);
  const last = x.length - 1;
  const told = (spot: number) =>
    [x[spot] ?? '', ...series.map((one) => `${one.label} ${textOf(one.values[spot], format)}`)].join(', ');
  const bar = Math.max(1, Math.min(28, (band * 0.72) / Math.max(1, series.length)));
  const picked = at === null ? null : place(at);
  return (
    <>
      {series.length > 1 && (
        <div className={css.legend}>
          {series.map((one, index) => (
            <span key={one.key}>
              <i style={{ background: colorOf(index) }} />
              {one.label}
            </span>
          ))}
        </div>
      )}
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
        aria-valuetext={told(at ?? last)}
        onPointerMove={(event) =>
          setAt(nearest(event.clientX - event.currentTarget.getBoundingClientRect().left, x.length, box))
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
            const y = Math.round(level(tick)) + 0.5;
            return (
              <g key={tick}>
                <line x1={gutter} x2={width - 14} y1={y} y2={y} className={css.gridline} />
                <text x={gutter - 8} y={y + 4} textAnchor="end" className={css.word}>
                  {format(tick)}
                </text>
              </g>
            );
          })}
          {kind === 'bars'
            ? series.flatMap((one, index) =>
                one.values.map((value, spot) =>
                  value === null ? null : (
                    <rect
                      key={`${one.key}:${spot}`}
                      x={place(spot) + (index - series.length / 2) * bar}
                      y={Math.min(level(value), level(0))}
                      width={Math.max(1, bar - 1)}
                      height={Math.max(0.5, Math.abs(level(0) - level(value)))}
                      fill={colorOf(index)}
                      opacity={at === null || at === spot ? 1 : 0.45}
                    />
                  ),
                ),
              )
            : series.map((one, index) => (
                <path
                  key={one.key}
                  d={linePath(pointsOf(one.values, place, level))}
                  className={css.line}
                  style={{ stroke: colorOf(index) }}
                />
              ))}
          {axisWords(x, box).map((word) => (
            <text key={word.at} x={word.x} y={height - 6} textAnchor={word.anchor} className={css.word}>
              {x[word.at]}
            </text>
          ))}
          {picked !== null && kind === 'lines' && (
            <line x1={picked} x2={picked} y1={box.top} y2={height - box.bottom} className={css.cross} />
          )}
        </svg>
        {at !== null && picked !== null && (
          <div
            className={css.bubble}
            data-side={picked > width / 2 ? 'left' : 'right'}
            style={{ left: picked, top: 20 }}
          >
            <div className={css.bubbleTitle}>{x[at]}</div>
            {series.map((one) => (
              <div key={one.key} className={css.bubbleRow}>
                <span>{one.label}</span>
                <span>{textOf(one.values[at], format)}</span>
              </div>
            ))}
          </div>
        )}
      </div>
    </>
  );
}

const textOf = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '\u2013' : format(value);

function pointsOf(
  values: readonly (number | null)[],
  place: (spot: number) => number,
  level: (value: number) => number,
): Point[] {
  return values.flatMap((value, spot) => (value === null ? [] : [{ x: place(spot), y: level(value) }]));
}
