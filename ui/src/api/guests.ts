import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';

export const GUEST_ANSWERS = ['', 'accepted', 'tentative', 'declined'] as const;
export type GuestAnswer = (typeof GUEST_ANSWERS)[number];
export interface Guest {
  id: string;
  name: string;
  to: string;
  record: { id: string; object: string } | null;
  answer: GuestAnswer;
  invited: boolean;
  /** Has not heard of the meeting as it is. */
  stale: boolean;
  removed: boolean;
}
export type GuestInput = { object: 'contact' | 'customer'; record: string } | { name: string; email: string };

export const guestsQuery = (meeting: string) =>
  queryOptions({
    queryKey: ['guests', meeting],
    queryFn: ({ signal }) => api.get<{ items: Guest[]; stale: number }>(`/meetings/${meeting}/guests`, { signal }),
  });

function useGuestAction<I, O>(meeting: string, call: (input: I) => Promise<O>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSettled: () => client.invalidateQueries({ queryKey: ['guests', meeting] }),
  });
}
export const useAddGuest = (meeting: string) =>
  useGuestAction(meeting, (input: GuestInput) => api.post<Guest>(`/meetings/${meeting}/guests`, input));
export const useRemoveGuest = (meeting: string) =>
  useGuestAction(meeting, (guest: string) => api.delete(`/meetings/${meeting}/guests/${guest}`));
export const useNoteAnswer = (meeting: string) =>
  useGuestAction(meeting, ({ guest, answer }: { guest: string; answer: GuestAnswer }) =>
    api.patch<void>(`/meetings/${meeting}/guests/${guest}`, { answer }),
  );
export const useInviteGuests = (meeting: string) =>
  useGuestAction(meeting, () => api.post<{ count: number }>(`/meetings/${meeting}/invite`, {}));
