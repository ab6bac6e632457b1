import { QueryClient } from '@tanstack/react-query';
import { connectionStore } from './connection';
import { ApiError } from './errors';

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        // Without a connection what was kept answers; waiting for the network would show nothing at all.
        networkMode: 'always',
        refetchOnReconnect: true,
        // A refusal stays a refusal; only a lost network or a failing server is worth another try.
        retry: (failures, error) =>
          failures < 2 &&
          connectionStore.get().online &&
          !(error instanceof ApiError && error.status >= 400 && error.status < 500),
        retryDelay: (attempt) => 400 * 2 ** attempt,
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
