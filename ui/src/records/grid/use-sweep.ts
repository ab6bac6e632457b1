import { type PointerEvent, useRef } from 'react';
import { useEvent } from '@/lib/hooks';
import type { Active } from './use-grid-keys';

export const numberAt = (element: Element | null, name: 'row' | 'col' | 'head'): number | null => {
  const text = element?.closest<HTMLElement>(`[data-${name}]`)?.dataset[name];
  return text === undefined ? null : Number(text);
};

const cellAt = (element: Element): Active | null => {
  const row = numberAt(element, 'row');
  const column = numberAt(element, 'col');
  return row === null || column === null ? null : { row, column };
};

/** Cells swept over with the mouse become a range. What is pressed for something else (links, boxes, editors) is left alone. */
export function useSweep(taken: string, onSweep: (from: Active, to: Active) => void) {
  const press = useRef<Active | null>(null);
  const pulled = useRef(false);
  const last = useRef<Active | null>(null);
  return {
    onPointerDown: useEvent((event: PointerEvent) => {
      const target = event.target as Element;
      const plain = event.button === 0 && event.pointerType === 'mouse' && !event.shiftKey;
      press.current = plain && target.closest(taken) === null ? cellAt(target) : null;
      last.current = press.current;
      pulled.current = false;
    }),
    onPointerMove: useEvent((event: PointerEvent) => {
      if ((event.buttons & 1) === 0) press.current = null;
      const to = press.current === null ? null : cellAt(event.target as Element);
      if (press.current === null || to === null) return;
      if (to.row === last.current?.row && to.column === last.current.column) return;
      last.current = to;
      pulled.current = true;
      onSweep(press.current, to);
    }),
    /** Whether the click that follows belongs to a sweep; asked once. */
    ended: () => {
      const swept = pulled.current;
      pulled.current = false;
      press.current = null;
      return swept;
    },
  };
}
