import type { EventState } from '@/api';

/** Hues of states, the same everywhere. */
export const STATE_HUES: Record<EventState, string> = {
  accepted: 'green',
  duplicate: 'gray',
  collision: 'amber',
  rejected: 'red',
};
