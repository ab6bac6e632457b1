import { IconGripVertical } from '@tabler/icons-react';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from '@/i18n';
import css from './object.module.css';

const ROW = 'tr, li';

/** The keys with one of them at another place. */
export function moved(keys: readonly string[], key: string, to: number): string[] {
  const rest = keys.filter((each) => each !== key);
  const at = Math.min(Math.max(to, 0), rest.length);
  return [...rest.slice(0, at), key, ...rest.slice(at)];
}

interface Sorting {
  /** The order to show: while a row is held it follows the pointer. */
  order: readonly string[];
  handle: (key: string, name: string) => ReactNode;
  /** Says where a row went; belongs beside the list. */
  status: ReactNode;
}

/**
 * Rows (tr or li) in an order of a person's own: dragged by their handle with mouse, pen or finger, or moved with the arrow
 * keys while the handle has the focus. `onMove` may be slow; the new order stays on screen until it is done.
 */
export function useSorting(
  keys: readonly string[],
  onMove: (order: string[], key: string, to: number) => unknown,
): Sorting {
  const { t } = useTranslation('shape');
  const id = useId();
  const [draft, setDraft] = useState<readonly string[] | null>(null);
  const [held, setHeld] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const turn = useRef(0);
  const focused = useRef<string | null>(null);
  const order = draft ?? keys;

  // React moves a row by taking it out and putting it in again: the focus would be lost.
  useLayoutEffect(() => {
    if (focused.current === null) return;
    document.querySelector<HTMLElement>(`[data-sort="${CSS.escape(focused.current)}"]`)?.focus();
    focused.current = null;
  });

  const commit = async (next: readonly string[], key: string, name: string) => {
    turn.current += 1;
    const mine = turn.current;
    const to = next.indexOf(key);
    setDraft(next);
    setSaid(t('shape:sort.said', { name, at: to + 1, count: next.length }));
    try {
      await onMove([...next], key, to);
    } finally {
      if (mine === turn.current) setDraft(null);
    }
  };

  const grab = (key: string, name: string) => (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    const list = event.currentTarget.closest(ROW)?.parentElement;
    if (list === null || list === undefined) return;
    event.currentTarget.focus();
    event.preventDefault();
    const start = order;
    let now = order;
    setHeld(key);
    const follow = (move: globalThis.PointerEvent) => {
      const others = [...list.querySelectorAll<HTMLElement>('[data-sort]')].filter(
        (each) => each.dataset.sort !== `${id}:${key}`,
      );
      const to = others.filter((each) => {
        const box = each.closest(ROW)?.getBoundingClientRect();
        return box !== undefined && box.top + box.height / 2 < move.clientY;
      }).length;
      if (now.indexOf(key) === to) return;
      now = moved(now, key, to);
      setDraft(now);
    };
    const drop = (event: Event) => {
      removeEventListener('pointermove', follow);
      removeEventListener('pointerup', drop);
      removeEventListener('pointercancel', drop);
      setHeld(null);
      if (event.type === 'pointerup' && now.indexOf(key) !== start.indexOf(key)) void commit(now, key, name);
      else setDraft(null);
    };
    addEventListener('pointermove', follow);
    addEventListener('pointerup', drop);
    addEventListener('pointercancel', drop);
  };

  const press = (key: string, name: string) => (event: KeyboardEvent) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = order.indexOf(key) + step;
    if (to < 0 || to >= order.length) return;
    focused.current = `${id}:${key}`;
    void commit(moved(order, key, to), key, name);
  };

  return {
    order,
    handle: (key, name) => (
      <button
        type="button"
        className={css.handle}
        data-sort={`${id}:${key}`}
        data-held={held === key || undefined}
        aria-label={t('shape:sort.handle', { name })}
        title={t('shape:sort.help')}
        onPointerDown={grab(key, name)}
        onKeyDown={press(key, name)}
      >
        <IconGripVertical size={14} aria-hidden />
      </button>
    ),
    status: (
      <span className="sr-only" role="status">
        {said}
      </span>
    ),
  };
}
