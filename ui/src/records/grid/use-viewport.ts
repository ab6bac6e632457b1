import { type RefObject, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useEvent } from '@/lib/hooks';
import { columnEdges, columnWindow, frozenWidth, type GridColumn } from './columns';
import {
  type Geometry,
  onScroll,
  onScrollEnd,
  positionFor,
  type RowWindow,
  rowWindow,
  type ScrollState,
  toScrollTop,
} from './windowing';

export interface View extends RowWindow {
  columnFirst: number;
  columnEnd: number;
}
export const START_VIEW: View = { first: 0, end: 40, anchor: 0, anchorTop: 0, columnFirst: 1, columnEnd: 12 };

export const HEADER = 34;
export const CHECK = 40;
const REST = 140;

interface Options {
  grid: RefObject<HTMLDivElement | null>;
  count: number;
  columns: readonly GridColumn[];
  frozen: number;
  /** Height of what stays at the lower edge. */
  foot: number;
  /** Another list: back to the top. */
  resetKey: string;
  view: View;
  setView: (view: View) => void;
}

export interface Viewport {
  geometry: Geometry;
  handleScroll: () => void;
  showRow: (row: number) => void;
  showColumn: (column: number) => void;
}

const sameView = (left: View, right: View): boolean =>
  left.first === right.first &&
  left.end === right.end &&
  left.anchor === right.anchor &&
  left.anchorTop === right.anchorTop &&
  left.columnFirst === right.columnFirst &&
  left.columnEnd === right.columnEnd;

function measureRow(grid: HTMLElement): number {
  const text = getComputedStyle(grid).getPropertyValue('--row');
  return Number.parseFloat(text) || 36;
}

/** Follows the scroll position of the grid and says which rows and columns to draw. */
export function useViewport({ grid, count, columns, frozen, foot, resetKey, view, setView }: Options): Viewport {
  const [size, setSize] = useState({ rowHeight: 36, viewport: 640, width: 1000 });
  const geometry: Geometry = { count, rowHeight: size.rowHeight, viewport: size.viewport };
  const scroll = useRef<ScrollState>({ scrollTop: 0, position: 0 });
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);

  const publish = (state: ScrollState, at: boolean) => {
    const element = grid.current;
    if (element === null) return;
    let settled = state;
    if (at) {
      element.scrollTop = state.scrollTop;
      // The browser may round; what it kept is the truth.
      settled = { scrollTop: element.scrollTop, position: state.position };
    }
    scroll.current = settled;
    const room = size.width - CHECK - frozenWidth(columns, frozen);
    const [columnFirst, columnEnd] = columnWindow(columnEdges(columns, frozen), element.scrollLeft, room, frozen);
    const next = { ...rowWindow(settled, geometry), columnFirst, columnEnd };
    if (sameView(next, view)) return;
    if (at) flushSync(() => setView(next));
    else setView(next);
  };

  const settle = useEvent(() => {
    const { state, resync } = onScrollEnd(scroll.current, geometry);
    if (resync) publish(state, true);
  });
  const handleScroll = useEvent(() => {
    const element = grid.current;
    if (element === null) return;
    const { state, resync } = onScroll(scroll.current, element.scrollTop, geometry);
    publish(state, resync);
    clearTimeout(rest.current);
    rest.current = setTimeout(settle, REST);
  });
  useEffect(() => () => clearTimeout(rest.current), []);

  const measure = useEvent(() => {
    const element = grid.current;
    if (element === null) return;
    const next = {
      rowHeight: measureRow(element),
      viewport: Math.max(0, (element.clientHeight || 640) - HEADER - foot),
      width: element.clientWidth || 1000,
    };
    setSize((old) =>
      old.rowHeight === next.rowHeight && old.viewport === next.viewport && old.width === next.width ? old : next,
    );
  });
  useEffect(() => {
    const element = grid.current;
    if (element === null) return;
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [grid, measure]);

  const refresh = useEvent(() => publish(scroll.current, false));
  // biome-ignore lint/correctness/useExhaustiveDependencies: each of these changes what is in sight.
  useEffect(() => refresh(), [refresh, count, size, columns, frozen]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what stands at the lower edge takes room.
  useEffect(() => measure(), [measure, foot]);

  const reset = useEvent(() => publish({ scrollTop: 0, position: 0 }, true));
  const shown = useRef(resetKey);
  useEffect(() => {
    if (shown.current === resetKey) return;
    shown.current = resetKey;
    // flushSync must not run inside an effect.
    queueMicrotask(reset);
  }, [resetKey, reset]);

  return {
    geometry,
    handleScroll,
    showRow(row) {
      const position = positionFor(row, scroll.current, geometry);
      if (position !== null) publish({ scrollTop: toScrollTop(position, geometry), position }, true);
    },
    showColumn(column) {
      const element = grid.current;
      if (element === null || column < frozen) return;
      const edges = columnEdges(columns, frozen);
      const room = size.width - CHECK - frozenWidth(columns, frozen);
      const left = edges[column - frozen] ?? 0;
      const right = edges[column - frozen + 1] ?? 0;
      if (left < element.scrollLeft) element.scrollLeft = left;
      else if (right > element.scrollLeft + room) element.scrollLeft = right - room;
    },
  };
}
