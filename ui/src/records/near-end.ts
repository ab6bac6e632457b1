import { type RefObject, useEffect } from 'react';
import { useEvent } from '@/lib/hooks';

interface Pages {
  isPending: boolean;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  fetchNextPage: () => unknown;
}

/**
 * The next portion is asked for when the end of the list comes near the window. It is looked at only once something is shown:
 * before that the end is always near.
 */
export function useNearEnd(end: RefObject<HTMLElement | null>, margin: string, pages: Pages): void {
  const more = useEvent(() => {
    if (pages.hasNextPage && !pages.isFetchingNextPage && !pages.isFetchNextPageError) pages.fetchNextPage();
  });
  useEffect(() => {
    const element = end.current;
    if (pages.isPending || element === null || typeof IntersectionObserver === 'undefined') return;
    const observer = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && more(), {
      rootMargin: margin,
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [end, margin, more, pages.isPending]);
}
