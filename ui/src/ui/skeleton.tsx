import type { ReactNode } from 'react';
import { useDelayed } from '@/lib/hooks';
import css from './skeleton.module.css';

interface Props {
  width?: number | string;
  height?: number | string;
  radius?: number;
}
export function Skeleton({ width = '100%', height = 12, radius = 4 }: Props) {
  return <span className={css.bone} style={{ width, height, borderRadius: radius }} aria-hidden />;
}

/** Nothing to see for the first 150 ms, then the skeleton: quick answers never flash one. Busy from the beginning. */
export function Delayed({ children }: { children: ReactNode }) {
  return useDelayed(true) ? children : <span hidden aria-busy="true" />;
}

export function SkeletonRows({ rows = 8, height = 36 }: { rows?: number; height?: number }) {
  return (
    <Delayed>
      <div className={css.rows} role="status" aria-busy="true">
        {Array.from({ length: rows }, (_, at) => (
          <div key={at} className={css.row} style={{ height }}>
            <Skeleton width={20} height={20} />
            <Skeleton width={`${18 + ((at * 7) % 14)}%`} />
            <Skeleton width="10%" />
            <Skeleton width="14%" />
            <Skeleton width={`${8 + ((at * 5) % 10)}%`} />
          </div>
        ))}
      </div>
    </Delayed>
  );
}

/** Stands in for an input whose code is still on its way, in its exact size. */
export function ControlSkeleton({ label }: { label?: ReactNode }) {
  return (
    <span className={css.control} aria-busy="true">
      {label !== undefined && <span className={css.label}>{label}</span>}
      <span className={css.box} />
    </span>
  );
}
