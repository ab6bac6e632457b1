import { type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { useEvent } from './hooks';

/** What is being dragged, and the zone under the hand. */
export interface Dragging {
  id: string;
  zone: string | null;
}

interface Hold {
  id: string;
  source: HTMLElement;
  pointer: number;
  touch: boolean;
  x: number;
  y: number;
  started: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  ghost: HTMLElement | null;
  dx: number;
  dy: number;
  frame: number;
  at: { x: number; y: number };
}

const MOUSE_START = 5;
const TOUCH_SLOP = 8;
const TOUCH_HOLD = 220;
const EDGE = 48;
const SPEED = 14;

export interface Drag {
  dragging: Dragging | null;
  /** For the element that holds everything; things carry data-drag="id", places data-drop="zone". */
  root: RefObject<HTMLDivElement | null>;
  handlers: {
    onPointerDown: (event: PointerEvent) => void;
    onClickCapture: (event: React.MouseEvent) => void;
    onDragStart: (event: React.DragEvent) => void;
  };
}

const zoneAt = (x: number, y: number): HTMLElement | null =>
  document.elementFromPoint(x, y)?.closest<HTMLElement>('[data-drop]') ?? null;

function makeGhost(source: HTMLElement, className: string): HTMLElement {
  const box = source.getBoundingClientRect();
  const ghost = source.cloneNode(true) as HTMLElement;
  ghost.removeAttribute('id');
  ghost.setAttribute('aria-hidden', 'true');
  ghost.classList.add(className);
  Object.assign(ghost.style, {
    position: 'fixed',
    zIndex: '400',
    top: '0',
    left: '0',
    width: `${box.width}px`,
    height: `${box.height}px`,
    margin: '0',
    pointerEvents: 'none',
  });
  document.body.append(ghost);
  return ghost;
}

/** Scrolls what lies under the pointer when it comes near an edge: the root sideways, the zone's own list up and down. */
function scrollNear(root: HTMLElement, at: { x: number; y: number }): void {
  const pull = (low: number, high: number, value: number) => {
    if (value < low + EDGE) return -SPEED;
    return value > high - EDGE ? SPEED : 0;
  };
  const box = root.getBoundingClientRect();
  root.scrollLeft += pull(box.left, box.right, at.x);
  const list = zoneAt(at.x, at.y)?.querySelector<HTMLElement>('[data-drop-scroll]');
  if (list === null || list === undefined) return;
  const inner = list.getBoundingClientRect();
  if (at.y > inner.top) list.scrollTop += pull(inner.top, inner.bottom, at.y);
}

/**
 * Dragging by mouse and by finger: a mouse drags after a few pixels, a finger after it rested, so that scrolling stays
 * scrolling. Escape gives up. Keys are the business of what is dragged: they need no pointer.
 */
export function useDrag(ghostClass: string, onDrop: (id: string, zone: string) => void): Drag {
  const root = useRef<HTMLDivElement>(null);
  const hold = useRef<Hold | null>(null);
  const dropped = useRef(false);
  const [dragging, setDragging] = useState<Dragging | null>(null);
  const drop = useEvent(onDrop);

  const place = (held: Hold) => {
    if (held.ghost !== null)
      held.ghost.style.transform = `translate(${held.at.x - held.dx}px, ${held.at.y - held.dy}px) rotate(1.2deg)`;
  };
  const tick = useEvent(() => {
    const held = hold.current;
    if (held === null || !held.started || root.current === null) return;
    scrollNear(root.current, held.at);
    held.frame = requestAnimationFrame(tick);
  });
  const start = useEvent((held: Hold) => {
    const box = held.source.getBoundingClientRect();
    held.started = true;
    held.dx = held.x - box.left;
    held.dy = held.y - box.top;
    held.ghost = makeGhost(held.source, ghostClass);
    place(held);
    held.frame = requestAnimationFrame(tick);
    getSelection()?.removeAllRanges();
    setDragging({ id: held.id, zone: null });
  });
  const end = useEvent((take: boolean) => {
    const held = hold.current;
    if (held === null) return;
    hold.current = null;
    clearTimeout(held.timer);
    cancelAnimationFrame(held.frame);
    held.ghost?.remove();
    setDragging(null);
    if (!held.started) return;
    dropped.current = true;
    setTimeout(() => {
      dropped.current = false;
    }, 60);
    const zone = zoneAt(held.at.x, held.at.y)?.dataset.drop;
    if (take && zone !== undefined) drop(held.id, zone);
  });

  const move = useEvent((event: globalThis.PointerEvent) => {
    const held = hold.current;
    if (held === null || event.pointerId !== held.pointer) return;
    held.at = { x: event.clientX, y: event.clientY };
    const far = Math.hypot(event.clientX - held.x, event.clientY - held.y);
    if (!held.started) {
      if (held.touch) {
        if (far > TOUCH_SLOP) end(false);
        return;
      }
      if (far < MOUSE_START) return;
      start(held);
    }
    place(held);
    const zone = zoneAt(event.clientX, event.clientY)?.dataset.drop ?? null;
    setDragging((old) => (old === null || old.zone === zone ? old : { ...old, zone }));
  });
  const up = useEvent((event: globalThis.PointerEvent) => {
    if (event.pointerId === hold.current?.pointer) end(event.type === 'pointerup');
  });
  const key = useEvent((event: KeyboardEvent) => {
    if (event.key !== 'Escape' || hold.current?.started !== true) return;
    event.preventDefault();
    event.stopPropagation();
    end(false);
  });

  useEffect(() => {
    const element = root.current;
    // The browser must not scroll under a finger that drags; it asks before it begins.
    const stay = (event: TouchEvent) => hold.current?.started === true && event.preventDefault();
    element?.addEventListener('touchmove', stay, { passive: false });
    addEventListener('pointermove', move);
    addEventListener('pointerup', up);
    addEventListener('pointercancel', up);
    addEventListener('keydown', key, true);
    return () => {
      element?.removeEventListener('touchmove', stay);
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', up);
      removeEventListener('pointercancel', up);
      removeEventListener('keydown', key, true);
      end(false);
    };
  }, [move, up, key, end]);

  return {
    dragging,
    root,
    handlers: {
      onPointerDown(event) {
        const source = (event.target as Element).closest<HTMLElement>('[data-drag]');
        if (event.button !== 0 || source === null || (event.target as Element).closest('[data-no-drag]') !== null)
          return;
        const touch = event.pointerType !== 'mouse';
        const held: Hold = {
          id: source.dataset.drag ?? '',
          source,
          pointer: event.pointerId,
          touch,
          x: event.clientX,
          y: event.clientY,
          started: false,
          timer: undefined,
          ghost: null,
          dx: 0,
          dy: 0,
          frame: 0,
          at: { x: event.clientX, y: event.clientY },
        };
        if (touch) held.timer = setTimeout(() => hold.current === held && start(held), TOUCH_HOLD);
        hold.current = held;
      },
      // Letting go over a link is no press of it.
      onClickCapture(event) {
        if (!dropped.current) return;
        dropped.current = false;
        event.preventDefault();
        event.stopPropagation();
      },
      onDragStart: (event) => event.preventDefault(),
    },
  };
}
