/** Eight steps of one hue. Each theme picks its own mixes (heat.module.css), so that words on them stay readable. */
export const HEAT_LEVELS = 8;

/**
 * The step for a value between 0 and `max`. Small values are spread by a root: one cell with ten times the others must
 * not turn all of them pale. Nothing at all is step 0, the largest is step 7.
 */
export function heatLevel(value: number, max: number, spread: 'root' | 'even' = 'root'): number {
  if (!(value > 0) || !(max > 0)) return 0;
  const share = Math.min(1, value / max);
  const bent = spread === 'root' ? Math.sqrt(share) : share;
  return Math.max(1, Math.min(HEAT_LEVELS - 1, Math.round(bent * (HEAT_LEVELS - 1))));
}
