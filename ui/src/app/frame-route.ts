import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { isApiError, objectsQuery, sessionQuery } from '@/api';
import { loadWords } from '@/i18n';
import { shape, text } from '@/lib/search-params';

interface RouterContext {
  queryClient: QueryClient;
}

/** Words of these namespaces are there before the page renders. */
export const words =
  (...namespaces: string[]) =>
  () =>
    loadWords(...namespaces);

export const rootRoute = createRootRouteWithContext<RouterContext>()();

/* Inside: who the person is, and the objects they may see, are known before anything renders */

export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  validateSearch: shape({ peek: text }),
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(sessionQuery());
    } catch (error) {
      if (!isApiError(error, 401)) throw error;
      throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } });
    }
  },
  loader: async ({ context }) => {
    await Promise.all([context.queryClient.ensureQueryData(objectsQuery()), loadWords('fields')]);
  },
  component: lazyRouteComponent(() => import('@/shell/app-frame'), 'AppFrame'),
});
