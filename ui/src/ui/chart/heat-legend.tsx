import { cx } from '@/lib/cx';
import { HEAT_LEVELS } from './heat';
import css from './heat.module.css';

/** Pale to full, with the words for both ends. */
export function HeatLegend({ low, high }: { low: string; high: string }) {
  return (
    <span className={css.legend}>
      {low}
      <span className={css.steps} aria-hidden>
        {Array.from({ length: HEAT_LEVELS }, (_, level) => (
          <span key={level} className={cx(css.cell, css.step)} data-level={level} />
        ))}
      </span>
      {high}
    </span>
  );
}
