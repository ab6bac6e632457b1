import type { ReactNode } from 'react';
import css from './detail.module.css';
import { SkeletonRows } from './skeleton';
import { EmptyState, ErrorState } from './states';

interface HeadProps {
  /** The link to the list it is from. */
  back: ReactNode;
  title: ReactNode;
  /** How it stands, in a pill. */
  state?: ReactNode;
  /** What can be done with it, at the right. */
  children?: ReactNode;
}
/** The first line of a page about one thing. */
export function DetailHead({ back, title, state, children }: HeadProps) {
  return (
    <div className={css.head}>
      {back}
      <h2>{title}</h2>
      {state}
      <span className="grow" />
      {children}
    </div>
  );
}

/** Figures in a row, two by two on a phone. */
export const Stats = ({ children }: { children: ReactNode }) => <div className={css.stats}>{children}</div>;

/** Names and values: takes `dt` and `dd`. */
export const Facts = ({ children }: { children: ReactNode }) => <dl className={css.facts}>{children}</dl>;

interface LoadedProps<T> {
  /** Whether this person may see it at all. */
  allowed: boolean;
  data: T | undefined;
  error: Error | null;
  onRetry: () => void;
  children: (data: T) => ReactNode;
}
/** One thing that is fetched: not for this person, on its way, failed, or there. */
export function Loaded<T>({ allowed, data, error, onRetry, children }: LoadedProps<T>) {
  if (!allowed) return <EmptyState cause="no_permission" />;
  if (data !== undefined) return children(data);
  return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={onRetry} />;
}
