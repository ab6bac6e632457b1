import { useNavigate } from '@tanstack/react-router';

/** What the address of the page may say. */
export interface DaySearch {
  view?: 'week' | 'month' | undefined;
  at?: string | undefined;
}

export function useDaySearch(): (patch: DaySearch) => void {
  const navigate = useNavigate();
  return (patch) => {
    navigate({ to: '.', search: ((old: object) => ({ ...old, ...patch })) as never, replace: true });
  };
}
