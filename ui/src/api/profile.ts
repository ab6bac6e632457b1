import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { duplicatesOfQuery } from './duplicates';
import { timelineQuery } from './records';
import type { CustomerProfile } from './types';
import { openWorkQuery } from './work';

/** Everything about a customer. */
export const profileQuery = (id: string) =>
  queryOptions({
    queryKey: ['customers', id, 'profile'],
    queryFn: async ({ signal, client }) => {
      const profile = await api.get<CustomerProfile>(`/customers/${id}/profile`, { signal });
      spread(client, profile);
      return profile;
    },
  });

/** Gives the parts of the page their answers, so that none of them asks for itself. Pages that were read on stay. */
function spread(client: QueryClient, profile: CustomerProfile): void {
  const { id } = profile.record;
  client.setQueryData(openWorkQuery('customer', id).queryKey, { items: profile.open });
  client.setQueryData(duplicatesOfQuery('customer', id).queryKey, profile.duplicates);
  client.setQueryData(
    timelineQuery('customer', id).queryKey,
    (old) => old ?? { pages: [{ items: profile.timeline, next_cursor: profile.timeline_next }], pageParams: [''] },
  );
}
