import { useNavigate, useSearch } from '@tanstack/react-router';

export interface PeekEntry {
  object: string;
  id: string;
}

/** "customer:cus_1,order:ord_2": a stack, the last one on top. It lives in the address, so reload and share keep it. */
export function parsePeek(text: string | undefined): PeekEntry[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.split(':'))
    .filter(([object, id]) => Boolean(object) && Boolean(id))
    .map(([object = '', id = '']) => ({ object, id }));
}
export const formatPeek = (stack: readonly PeekEntry[]): string | undefined =>
  stack.length === 0 ? undefined : stack.map((entry) => `${entry.object}:${entry.id}`).join(',');

export interface Peek {
  stack: PeekEntry[];
  /** Shows a record in the side panel, alone. */
  open: (entry: PeekEntry) => void;
  /** Shows a record over the one in the panel. */
  push: (entry: PeekEntry) => void;
  back: () => void;
  close: () => void;
}

/** The side panel: opening a record from a list keeps the list on screen. */
export function usePeek(): Peek {
  const { peek } = useSearch({ strict: false }) as { peek?: string };
  const navigate = useNavigate();
  const stack = parsePeek(peek);
  const go = (next: readonly PeekEntry[], replace: boolean) => {
    navigate({
      to: '.',
      search: ((old: Record<string, unknown>) => ({ ...old, peek: formatPeek(next) })) as never,
      replace,
    });
  };
  return {
    stack,
    open: (entry) => go([entry], stack.length > 0),
    push: (entry) => go([...stack, entry], false),
    back: () => go(stack.slice(0, -1), true),
    close: () => go([], true),
  };
}
