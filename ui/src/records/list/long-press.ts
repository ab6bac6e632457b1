import { type MouseEvent, type PointerEvent, useEffect, useRef } from 'react';

const LONG = 450;
/** A finger never rests quite still. */
const SLACK = 10;

/**
 * A press that is held. `taken` tells the click that follows it whether the press was used up; the browser's own menu
 * for a held link stays away.
 */
export function useLongPress(onHold: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const from = useRef({ x: 0, y: 0 });
  const held = useRef(false);
  const touching = useRef(false);
  const stop = () => {
    clearTimeout(timer.current);
    touching.current = false;
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    taken: (): boolean => {
      const was = held.current;
      held.current = false;
      return was;
    },
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        held.current = false;
        if (event.pointerType === 'mouse') return;
        touching.current = true;
        from.current = { x: event.clientX, y: event.clientY };
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
          held.current = true;
          onHold();
        }, LONG);
      },
      onPointerMove: (event: PointerEvent) => {
        const { x, y } = from.current;
        if (Math.hypot(event.clientX - x, event.clientY - y) > SLACK) stop();
      },
      onPointerUp: stop,
      onPointerCancel: stop,
      onContextMenu: (event: MouseEvent) => {
        if (touching.current || held.current) event.preventDefault();
      },
    },
  };
}
