/**
 * The arithmetic of a very long list. A browser refuses elements higher than about 33 million pixels, so the scrolling
 * height is capped and the middle of the list is squeezed, while both ends stay 1:1:
 *
 *   real position:   |---- edge ----|============== middle ==============|---- edge ----|
 *   scroll position: |---- edge ----|==== middle, squeezed ====|---- edge ----|
 *
 * With true ends the wheel arrives at the first and the last row exactly, whatever was scrolled before. In the middle a
 * wheel still moves rows by what it says; the two positions drift apart then and are brought together when it rests.
 */
export const MAX_HEIGHT = 8_000_000;
const EDGE = 100_000;
/** Rows are placed relative to the first row of their block, so that squeezing moves one element and not each row. */
export const BLOCK = 500;

export interface Geometry {
  count: number;
  rowHeight: number;
  /** Height of the part of the viewport that shows rows. */
  viewport: number;
}

const realHeight = ({ count, rowHeight }: Geometry): number => count * rowHeight;
export const scrollHeight = (geometry: Geometry): number => Math.min(realHeight(geometry), MAX_HEIGHT);
export const isSqueezed = (geometry: Geometry): boolean => realHeight(geometry) > MAX_HEIGHT;

const maxPosition = (geometry: Geometry): number => Math.max(0, realHeight(geometry) - geometry.viewport);
const maxScroll = (geometry: Geometry): number => Math.max(0, scrollHeight(geometry) - geometry.viewport);
const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));

/** How many real pixels one scrolled pixel is worth in the middle. */
function squeeze(geometry: Geometry): number {
  return (maxPosition(geometry) - 2 * EDGE) / (maxScroll(geometry) - 2 * EDGE);
}

/** The real position that the scrollbar stands for. */
export function toPosition(scrollTop: number, geometry: Geometry): number {
  const top = clamp(scrollTop, maxScroll(geometry));
  if (!isSqueezed(geometry) || top <= EDGE) return top;
  const fromEnd = maxScroll(geometry) - top;
  if (fromEnd <= EDGE) return maxPosition(geometry) - fromEnd;
  return EDGE + (top - EDGE) * squeeze(geometry);
}

/** The inverse of toPosition. */
export function toScrollTop(position: number, geometry: Geometry): number {
  const at = clamp(position, maxPosition(geometry));
  if (!isSqueezed(geometry) || at <= EDGE) return at;
  const fromEnd = maxPosition(geometry) - at;
  if (fromEnd <= EDGE) return maxScroll(geometry) - fromEnd;
  return EDGE + (at - EDGE) / squeeze(geometry);
}

export interface ScrollState {
  scrollTop: number;
  position: number;
}

/** A wheel turn or a key moves at most this far between two events; more is the scrollbar or a jump. */
const LEAP = 4;

/**
 * Where a scroll event leads. Small steps move rows 1:1; a leap takes the position that the scrollbar says. `resync` asks
 * the caller to set scrollTop to the answer's: the scrollbar entered an end that the rows have not reached.
 */
export function onScroll(
  before: ScrollState,
  scrollTop: number,
  geometry: Geometry,
): { state: ScrollState; resync: boolean } {
  if (!isSqueezed(geometry)) return { state: { scrollTop, position: scrollTop }, resync: false };
  const delta = scrollTop - before.scrollTop;
  if (Math.abs(delta) > LEAP * geometry.viewport)
    return { state: { scrollTop, position: toPosition(scrollTop, geometry) }, resync: false };
  const position = clamp(before.position + delta, maxPosition(geometry));
  const atEdge = scrollTop < EDGE || scrollTop > maxScroll(geometry) - EDGE;
  const wanted = toScrollTop(position, geometry);
  if (atEdge && Math.abs(wanted - scrollTop) > 1) return { state: { scrollTop: wanted, position }, resync: true };
  return { state: { scrollTop, position }, resync: false };
}

/** When scrolling rests: the scrollbar goes to where the rows are. */
export function onScrollEnd(state: ScrollState, geometry: Geometry): { state: ScrollState; resync: boolean } {
  const wanted = toScrollTop(state.position, geometry);
  if (Math.abs(wanted - state.scrollTop) <= 1) return { state, resync: false };
  return { state: { scrollTop: wanted, position: state.position }, resync: true };
}

export interface RowWindow {
  first: number;
  /** One past the last. */
  end: number;
  /** First row of the block that rows are placed against. */
  anchor: number;
  /** Where the block begins, in scrolled pixels. */
  anchorTop: number;
}

/** The rows to draw. The edges are rounded to `step` rows so that small scrolls draw nothing new. */
export function rowWindow(state: ScrollState, geometry: Geometry, overscan = 8, step = 4): RowWindow {
  const { count, rowHeight, viewport } = geometry;
  const top = Math.floor(state.position / rowHeight);
  const rows = Math.ceil(viewport / rowHeight) + 1;
  const first = clamp(Math.floor((top - overscan) / step) * step, count);
  const end = clamp(Math.ceil((top + rows + overscan) / step) * step, count);
  const anchor = Math.floor(first / BLOCK) * BLOCK;
  // Unsqueezed lists keep whole numbers here, so that nothing moves while scrolling.
  const drift = isSqueezed(geometry) ? state.scrollTop - state.position : 0;
  return { first, end, anchor, anchorTop: anchor * rowHeight + drift };
}

/** The position that shows a row whole, or null when it is in sight already. */
export function positionFor(row: number, state: ScrollState, geometry: Geometry): number | null {
  const top = row * geometry.rowHeight;
  if (top < state.position) return top;
  const lowest = top + geometry.rowHeight - geometry.viewport;
  return lowest > state.position ? clamp(lowest, maxPosition(geometry)) : null;
}

/** Pages of `size` rows that cover a window. */
export function pagesOf({ first, end }: Pick<RowWindow, 'first' | 'end'>, size: number): number[] {
  const pages: number[] = [];
  for (let page = Math.floor(first / size); page * size < end; page++) pages.push(page);
  return pages;
}
