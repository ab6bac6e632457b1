import { useBlocker } from '@tanstack/react-router';
import { useRef } from 'react';
import { confirm } from '@/ui';

interface Words {
  title: string;
  text: string;
  confirm: string;
}

/**
 * Asks before a page with unsaved changes is left, by a link, the browser's back, or closing the tab. The answer is a
 * function that lets the next step pass: call it right before going on after a save.
 */
export function useLeaveGuard(dirty: boolean, words: Words): () => void {
  const passing = useRef(false);
  useBlocker({
    shouldBlockFn: async ({ current, next }) => {
      if (!dirty || passing.current || current.pathname === next.pathname) return false;
      return !(await confirm({ ...words, danger: true }));
    },
    enableBeforeUnload: () => dirty && !passing.current,
  });
  return () => {
    passing.current = true;
  };
}
