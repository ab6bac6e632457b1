import { queryOptions } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { MailItemState } from './mail';

export interface LetterDesk {
  addresses: { field: string; label: Label; shown: string }[];
  /** The record asks not to be contacted. */
  quiet: boolean;
  ready: boolean;
}
/** A mail to the customer, on the timeline. */
export interface LetterShown {
  to: string;
  subject: string;
  text: string;
  state: MailItemState;
  reason: string;
}

export const letterDeskQuery = (object: string, id: string) =>
  queryOptions({
    queryKey: ['letter-desk', object, id],
    queryFn: ({ signal }) => api.get<LetterDesk>(`/records/${object}/${id}/letters`, { signal }),
  });
export const sendLetter = (
  object: string,
  id: string,
  letter: { key: string; field: string; subject: string; text: string; purpose?: string },
) => api.post<{ id: string; fresh: boolean }>(`/records/${object}/${id}/letters`, letter);
