import { describe, expect, it } from 'vitest';
import {
  type Geometry,
  isSqueezed,
  MAX_HEIGHT,
  onScroll,
  onScrollEnd,
  pagesOf,
  positionFor,
  rowWindow,
  type ScrollState,
  scrollHeight,
  toPosition,
  toScrollTop,
} from './windowing';

const million: Geometry = { count: 1_000_000, rowHeight: 36, viewport: 700 };
const small: Geometry = { count: 3000, rowHeight: 36, viewport: 700 };
const lastPosition = 1_000_000 * 36 - 700;
const lastScroll = MAX_HEIGHT - 700;

/** Plays a wheel: steps of `delta`, the browser clamping as it does. */
function wheel(from: ScrollState, delta: number, times: number, geometry: Geometry): ScrollState {
  let state = from;
  const most = scrollHeight(geometry) - geometry.viewport;
  for (let step = 0; step < times; step++) {
    const scrollTop = Math.max(0, Math.min(most, state.scrollTop + delta));
    if (scrollTop === state.scrollTop) return state;
    state = onScroll(state, scrollTop, geometry).state;
  }
  return state;
}

describe('a short list', () => {
  it('is not squeezed and does not move its block', () => {
    expect(isSqueezed(small)).toBe(false);
    expect(toPosition(12_345, small)).toBe(12_345);
    expect(rowWindow({ scrollTop: 20_000, position: 20_000 }, small).anchorTop).toBe(500 * 36);
  });
});

describe('a million rows', () => {
  it('is capped, and both ends are exact', () => {
    expect(scrollHeight(million)).toBe(MAX_HEIGHT);
    expect(toPosition(0, million)).toBe(0);
    expect(toPosition(lastScroll, million)).toBe(lastPosition);
    expect(rowWindow({ scrollTop: lastScroll, position: lastPosition }, million).end).toBe(1_000_000);
  });

  it('maps there and back', () => {
    for (const position of [0, 5_000, 99_999, 100_001, 18_000_000, lastPosition - 100_001, lastPosition - 3])
      expect(toPosition(toScrollTop(position, million), million)).toBeCloseTo(position, 3);
  });

  it('never goes backwards', () => {
    let before = -1;
    for (let top = 0; top <= lastScroll; top += 9_973) {
      const position = toPosition(top, million);
      expect(position).toBeGreaterThan(before);
      before = position;
    }
  });

  it('moves rows 1:1 with the wheel, in the middle too', () => {
    const start = { scrollTop: 4_000_000, position: toPosition(4_000_000, million) };
    const after = wheel(start, 100, 50, million);
    expect(after.position - start.position).toBe(5_000);
  });

  it('takes the scrollbar at its word', () => {
    const { state } = onScroll({ scrollTop: 0, position: 0 }, 4_000_000, million);
    expect(state.position).toBe(toPosition(4_000_000, million));
  });

  it('reaches the first row by wheel alone after a long way', () => {
    const start = { scrollTop: toScrollTop(900_000, million), position: 900_000 };
    const end = wheel(start, -120, 900_000 / 120 + 2, million);
    expect(end).toEqual({ scrollTop: 0, position: 0 });
  });

  it('reaches the last row by wheel alone after a long way', () => {
    const position = lastPosition - 900_000;
    const end = wheel({ scrollTop: toScrollTop(position, million), position }, 120, 900_000 / 120 + 2, million);
    expect(end.position).toBe(lastPosition);
    expect(end.scrollTop).toBe(lastScroll);
  });

  it('brings bar and rows together when scrolling rests, without moving rows', () => {
    const start = { scrollTop: 4_000_000, position: toPosition(4_000_000, million) };
    const drifted = wheel(start, 100, 400, million);
    const { state, resync } = onScrollEnd(drifted, million);
    expect(resync).toBe(true);
    expect(state.position).toBe(drifted.position);
    const before = rowWindow(drifted, million);
    const after = rowWindow(state, million);
    expect(after.first).toBe(before.first);
    // Where the first row stands on screen has not changed.
    expect(after.anchorTop - state.scrollTop).toBeCloseTo(before.anchorTop - drifted.scrollTop, 6);
    expect(onScrollEnd(state, million).resync).toBe(false);
  });

  it('draws few rows wherever it is', () => {
    for (const scrollTop of [0, 50_000, 4_000_000, lastScroll]) {
      const { first, end } = rowWindow({ scrollTop, position: toPosition(scrollTop, million) }, million);
      expect(end - first).toBeLessThanOrEqual(48);
    }
  });
});

it('scrolls only as far as a row needs', () => {
  const state = { scrollTop: 3600, position: 3600 };
  expect(positionFor(105, state, small)).toBeNull();
  expect(positionFor(99, state, small)).toBe(99 * 36);
  expect(positionFor(130, state, small)).toBe(131 * 36 - 700);
});

it('names the pages of a window', () => {
  expect(pagesOf({ first: 90, end: 130 }, 100)).toEqual([0, 1]);
  expect(pagesOf({ first: 200, end: 240 }, 100)).toEqual([2]);
  expect(pagesOf({ first: 0, end: 0 }, 100)).toEqual([]);
});
