import css from './chart.module.css';
import { areaPath, type Box, linePath, xOf, yOf } from './geometry';

interface Props {
  values: readonly number[];
  width?: number;
  height?: number;
  /** What it shows, spoken. */
  label: string;
}
/** A line without axes, for one row of a list. */
export function Spark({ values, width = 84, height = 24, label }: Props) {
  if (values.length < 2) return <span className="muted">{'\u2013'}</span>;
  const box: Box = { width, height, left: 1, right: 1, top: 3, bottom: 3 };
  const low = Math.min(...values);
  const high = Math.max(...values);
  const points = values.map((value, at) => ({
    x: xOf(at, values.length, box),
    y: high === low ? height / 2 : yOf(value, low, high, box),
  }));
  return (
    <svg width={width} height={height} role="img" aria-label={label} className={css.spark}>
      <path d={areaPath(points, height)} className={css.sparkArea} />
      <path d={linePath(points)} className={css.line} strokeWidth={1.5} />
    </svg>
  );
}
