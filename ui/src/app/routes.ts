import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { isApiError, objectsQuery, sessionQuery, setupQuery } from '@/api';
import { loadWords } from '@/i18n';
import { flag, oneOf, shape, text } from '@/lib/search-params';
import { readListSearch } from '@/records/search';

interface RouterContext {
  queryClient: QueryClient;
}

/** Words of these namespaces are there before the page renders. */
const words =
  (...namespaces: string[]) =>
  () =>
    loadWords(...namespaces);

const rootRoute = createRootRouteWithContext<RouterContext>()();

/* Outside the frame */

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: shape({ next: text }),
  beforeLoad: async ({ context }) => {
    const state = await context.queryClient.fetchQuery(setupQuery()).catch(() => null);
    if (state?.needed === true) throw redirect({ to: '/setup' });
  },
  loader: words('auth', 'links'),
  component: lazyRouteComponent(() => import('@/features/auth/sign-in-page'), 'SignInPage'),
});
const linkRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/link',
  loader: words('auth', 'links'),
  component: lazyRouteComponent(() => import('@/features/auth/link-page'), 'LinkPage'),
});
const forgotRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/forgot',
  loader: words('auth', 'links'),
  component: lazyRouteComponent(() => import('@/features/auth/forgot-page'), 'ForgotPage'),
});
const stopRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/stop',
  loader: words('auth', 'links'),
  component: lazyRouteComponent(() => import('@/features/auth/stop-page'), 'StopPage'),
});
const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  beforeLoad: async ({ context }) => {
    const state = await context.queryClient.fetchQuery(setupQuery()).catch(() => null);
    if (state?.needed === false) throw redirect({ to: '/sign-in' });
  },
  loader: words('auth'),
  component: lazyRouteComponent(() => import('@/features/auth/setup-page'), 'SetupPage'),
});

/* Inside: who the person is, and the objects they may see, are known before anything renders */

const appRoute = createRoute({
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

const homeRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/',
  validateSearch: shape({ days: oneOf<30 | 90 | 365 | 730>(30, 90, 365, 730) }),
  loader: words('home'),
  component: lazyRouteComponent(() => import('@/features/home/home-page'), 'HomePage'),
});
const dayRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/day',
  validateSearch: shape({ view: oneOf<'week' | 'month'>('week', 'month'), at: text }),
  loader: words('work', 'records', 'customers'),
  component: lazyRouteComponent(() => import('@/features/day/day-page'), 'DayPage'),
});
const notificationsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/notifications',
  loader: words('work', 'links', 'approvals'),
  component: lazyRouteComponent(() => import('@/features/notifications/notifications-page'), 'NotificationsPage'),
});
const approvalsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/approvals',
  validateSearch: shape({
    tab: oneOf<'waiting' | 'mine' | 'done' | 'all'>('waiting', 'mine', 'done', 'all'),
    id: text,
  }),
  loader: words('approvals', 'records'),
  component: lazyRouteComponent(() => import('@/features/approvals/approvals-page'), 'ApprovalsPage'),
});
const stageReportRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/stages/$object',
  loader: words('stages', 'records'),
  component: lazyRouteComponent(() => import('@/features/stages/report-page'), 'StageReportPage'),
});
const listRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/o/$object',
  validateSearch: readListSearch,
  loader: words('records', 'views'),
  component: lazyRouteComponent(() => import('@/features/objects/list-page'), 'ListPage'),
});
const recordRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/o/$object/$id',
  validateSearch: shape({ tab: text }),
  loader: words('records', 'customers', 'work'),
  component: lazyRouteComponent(() => import('./record-route'), 'RecordRoute'),
});
const mergeRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/merge/$object',
  validateSearch: shape({ ids: text }),
  loader: words('merge', 'records'),
  component: lazyRouteComponent(() => import('@/features/merge/merge-page'), 'MergePage'),
});
const duplicatesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/duplicates/$object',
  loader: words('duplicates', 'records'),
  component: lazyRouteComponent(() => import('@/features/duplicates/review-page'), 'ReviewPage'),
});
const segmentsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/segments',
  loader: words('segments', 'conditions'),
  component: lazyRouteComponent(() => import('@/features/segments/segments-page'), 'SegmentsPage'),
});
const segmentNewRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/segments/new',
  /** `where` starts the builder: "save as segment" from a list or a chart; `from` copies another segment. */
  validateSearch: shape({ where: text, name: text, from: text }),
  loader: words('segments', 'conditions'),
  component: lazyRouteComponent(() => import('@/features/segments/segment-new-page'), 'SegmentNewPage'),
});
const segmentRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/segments/$key',
  validateSearch: shape({ tab: text }),
  loader: words('segments', 'conditions', 'records'),
  component: lazyRouteComponent(() => import('@/features/segments/segment-page'), 'SegmentPage'),
});
const classificationsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/classifications',
  loader: words('classifications', 'conditions'),
  component: lazyRouteComponent(() => import('@/features/classifications/classifications-page'), 'ClassificationsPage'),
});
const classificationRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/classifications/$key',
  loader: words('classifications', 'conditions'),
  component: lazyRouteComponent(() => import('@/features/classifications/classification-page'), 'ClassificationPage'),
});
const importsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/imports',
  loader: words('imports', 'importing'),
  component: lazyRouteComponent(() => import('@/features/imports/imports-page'), 'ImportsPage'),
});
const importNewRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/imports/new',
  validateSearch: shape({ object: text }),
  loader: words('imports', 'importing'),
  component: lazyRouteComponent(() => import('@/features/imports/import-new-page'), 'ImportNewPage'),
});
const importRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/imports/$id',
  loader: words('imports', 'importing'),
  component: lazyRouteComponent(() => import('@/features/imports/import-page'), 'ImportPage'),
});
const jobsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/jobs',
  validateSearch: shape({ job: text, kind: oneOf('edit', 'assign', 'delete', 'restore', 'export'), all: flag }),
  loader: words('jobs', 'records'),
  component: lazyRouteComponent(() => import('@/features/jobs/jobs-page'), 'JobsPage'),
});

/* Settings */

const settingsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/settings',
  loader: words('settings', 'auth'),
  component: lazyRouteComponent(() => import('@/features/settings/settings-layout'), 'SettingsLayout'),
});
const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/profile', replace: true });
  },
});
const settingsPages = [
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'profile',
    loader: words('links'),
    component: lazyRouteComponent(() => import('@/features/settings/profile-page'), 'ProfilePage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'security',
    component: lazyRouteComponent(() => import('@/features/settings/security-page'), 'SecurityPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'signins',
    component: lazyRouteComponent(() => import('@/features/settings/sign-ins'), 'SignInsPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'users',
    loader: words('links'),
    component: lazyRouteComponent(() => import('@/features/settings/users-page'), 'UsersPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'org',
    loader: words('rights'),
    component: lazyRouteComponent(() => import('@/features/settings/org-page'), 'OrgPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'roles',
    loader: words('rights'),
    component: lazyRouteComponent(() => import('@/features/settings/roles-page'), 'RolesPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'roles/$key',
    /** `from` is the role that a new one is made of. */
    validateSearch: shape({ from: text }),
    loader: words('rights', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/settings/role-page'), 'RolePage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'apikeys',
    loader: words('assistants'),
    component: lazyRouteComponent(() => import('@/features/settings/apikeys-page'), 'ApiKeysPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'reference',
    validateSearch: shape({ op: text }),
    loader: words('reference'),
    component: lazyRouteComponent(() => import('@/features/settings/reference-page'), 'ReferencePage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'webhooks',
    loader: words('webhooks'),
    component: lazyRouteComponent(() => import('@/features/settings/webhooks-page'), 'WebhooksPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'webhooks/new',
    loader: words('webhooks', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/settings/webhooks-edit'), 'WebhookNewPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'webhooks/$id',
    loader: words('webhooks'),
    component: lazyRouteComponent(() => import('@/features/settings/webhooks-detail'), 'WebhookPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'webhooks/$id/edit',
    loader: words('webhooks', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/settings/webhooks-edit'), 'WebhookEditPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'mail',
    loader: words('mail'),
    component: lazyRouteComponent(() => import('@/features/settings/mail-page'), 'MailPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'objects',
    loader: words('shape'),
    component: lazyRouteComponent(() => import('@/features/settings/objects-page'), 'ObjectsPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'objects/$object',
    loader: words('shape', 'stages', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/settings/object-page'), 'ObjectPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'approvals',
    loader: words('approvals'),
    component: lazyRouteComponent(() => import('@/features/settings/approvals-page'), 'ApprovalProcessesPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'approvals/$id',
    loader: words('approvals', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/settings/approval-page'), 'ApprovalProcessPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'config',
    component: lazyRouteComponent(() => import('@/features/settings/config-page'), 'ConfigPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'currencies',
    component: lazyRouteComponent(() => import('@/features/settings/currencies-page'), 'CurrenciesPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'duplicates',
    loader: words('duplicates'),
    component: lazyRouteComponent(() => import('@/features/duplicates/rules-page'), 'DuplicateRulesPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'rfm',
    component: lazyRouteComponent(() => import('@/features/settings/rfm-page'), 'RfmPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'audit',
    component: lazyRouteComponent(() => import('@/features/settings/audit-page'), 'AuditPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'system',
    component: lazyRouteComponent(() => import('@/features/settings/system-page'), 'SystemPage'),
  }),
] as const;

/* Every part on one page; only where __KIT__ is on */
const kitRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/dev/kit',
  beforeLoad: () => {
    if (!__KIT__) throw redirect({ to: '/' });
  },
  loader: words('conditions'),
  component: __KIT__ ? lazyRouteComponent(() => import('@/features/kit/kit-page'), 'KitPage') : () => null,
});

export const routeTree = rootRoute.addChildren([
  signInRoute,
  setupRoute,
  linkRoute,
  forgotRoute,
  stopRoute,
  appRoute.addChildren([
    homeRoute,
    dayRoute,
    notificationsRoute,
    approvalsRoute,
    stageReportRoute,
    listRoute,
    recordRoute,
    mergeRoute,
    duplicatesRoute,
    segmentsRoute,
    segmentNewRoute,
    segmentRoute,
    classificationsRoute,
    classificationRoute,
    importsRoute,
    importNewRoute,
    importRoute,
    jobsRoute,
    settingsRoute.addChildren([settingsIndexRoute, ...settingsPages]),
    kitRoute,
  ]),
]);
