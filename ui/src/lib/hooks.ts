import { useEffect, useRef, useState, useSyncExternalStore } from 'react';

/** The value once it has stayed the same for `delay` milliseconds. */
export function useDebounced<T>(value: T, delay = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delay);
    return () => clearTimeout(timer);
  }, [value, delay]);
  return settled;
}

/** True once `waiting` has lasted `delay` milliseconds: skeletons appear only then. */
export function useDelayed(waiting: boolean, delay = 150): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!waiting) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), delay);
    return () => clearTimeout(timer);
  }, [waiting, delay]);
  return waiting && late;
}

export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (notify) => {
      const media = matchMedia(query);
      media.addEventListener('change', notify);
      return () => media.removeEventListener('change', notify);
    },
    () => matchMedia(query).matches,
    () => false,
  );
}

export const PHONE = '(max-width: 720px)';

/** Phones and narrow windows: cards instead of grids, drawers instead of panels. */
export function useIsPhone(): boolean {
  return useMediaQuery(PHONE);
}

/** A stable function that always calls the newest version of `handler`. */
export function useEvent<A extends unknown[], R>(handler: (...args: A) => R): (...args: A) => R {
  const newest = useRef(handler);
  useEffect(() => {
    newest.current = handler;
  });
  return useRef((...args: A) => newest.current(...args)).current;
}

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
