/** No page is looked at longer than this, and nobody reads on who has touched nothing for so long. */
const MOST = 30 * 60_000;
const IDLE = 2 * 60_000;
const BEAT = 5000;

/**
 * How long the page was in front of somebody: it is visible, and was touched not long ago. It is counted by beats, so that a
 * machine that slept in between adds one beat and not the night.
 */
export class Dwell {
  private since = performance.now();
  private touched = this.since;
  private counted = 0;
  private told = 0;
  private seen = document.visibilityState === 'visible';
  private deepest = 0;

  constructor() {
    const touch = () => {
      this.beat();
      this.touched = performance.now();
    };
    for (const name of ['pointerdown', 'pointermove', 'keydown', 'scroll', 'touchstart'])
      addEventListener(name, touch, { passive: true, capture: true });
    setInterval(() => this.beat(), BEAT);
  }

  private beat(): void {
    const now = performance.now();
    if (this.seen && now - this.touched < IDLE) this.counted += Math.min(now - this.since, 2 * BEAT);
    this.since = now;
    this.seen = document.visibilityState === 'visible';
    const { scrollHeight } = document.documentElement;
    this.deepest = Math.max(this.deepest, Math.min(1, (scrollY + innerHeight) / Math.max(scrollHeight, 1)));
  }

  /** What came since the last answer, in whole milliseconds, and how far down the page went, in percent. */
  take(): { dwell_ms: number; scroll: number } {
    this.beat();
    const until = Math.min(this.counted, MOST);
    const dwell_ms = Math.round(until - this.told);
    this.told = until;
    return { dwell_ms, scroll: Math.round(this.deepest * 100) };
  }

  /** Another page. */
  again(): void {
    this.since = this.touched = performance.now();
    this.seen = document.visibilityState === 'visible';
    this.counted = this.told = this.deepest = 0;
  }
}
