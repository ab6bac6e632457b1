import css from './progress.module.css';

interface Props {
  /** From 0 to 1; null runs without end. */
  value: number | null;
  label: string;
  color?: string;
  height?: number;
}
export function Progress({ value, label, color, height = 6 }: Props) {
  const share = value === null ? null : Math.max(0, Math.min(1, value));
  return (
    <div
      className={css.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(share !== null && { 'aria-valuenow': Math.round(share * 100) })}
      style={{ height }}
    >
      <div
        className={css.bar}
        data-running={share === null || undefined}
        style={{
          ...(share !== null && { width: `${share * 100}%` }),
          ...(color !== undefined && { background: color }),
        }}
      />
    </div>
  );
}
