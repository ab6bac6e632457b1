import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { setupQuery } from '@/api';
import { flag, oneOf, record, shape, text, whole } from '@/lib/search-params';
import { readListSearch } from '@/records/search';
import { engagePages } from './engage-routes';
import { appRoute, rootRoute, words } from './frame-route';
import { insightPages } from './insight-routes';
import { settingsIndexRoute, settingsPages, settingsRoute } from './settings-routes';

/* Outside the frame */
const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: shape({ next: text }),
  beforeLoad: async ({ context }) => {
    const state = await context.queryClient.fetchQuery(setupQuery()).catch(() => null);
    if (state?.needed === true) throw redirect({ to: '/setup' });
  },
  loader: words('auth', 'links', 'ways'),
  component: lazyRouteComponent(() => import('@/features/auth/sign-in-page'), 'SignInPage'),
});
const returnRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in/return',
  loader: words('auth', 'links', 'ways'),
  component: lazyRouteComponent(() => import('@/features/auth/return-page'), 'ReturnPage'),
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
const preferencesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/p',
  loader: words('consent'),
  component: lazyRouteComponent(() => import('@/features/auth/preferences-page'), 'PreferencesPage'),
});
const confirmRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/p/confirm',
  loader: words('consent'),
  component: lazyRouteComponent(() => import('@/features/auth/confirm-page'), 'ConfirmPage'),
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
  loader: words('work', 'mine', 'records', 'customers'),
  component: lazyRouteComponent(() => import('@/features/day/day-page'), 'DayPage'),
});
const notificationsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/notifications',
  loader: words('work', 'mine', 'links', 'approvals'),
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
const identitiesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/identities',
  loader: words('identities', 'records'),
  component: lazyRouteComponent(() => import('@/features/identities/reviews-page'), 'IdentityReviewsPage'),
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
const segmentCompareRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/segments/compare',
  /** Keys of segments with commas between them. */
  validateSearch: shape({ keys: text }),
  loader: words('segments'),
  component: lazyRouteComponent(() => import('@/features/segments/compare-page'), 'ComparePage'),
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
const lifecycleRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/lifecycle',
  validateSearch: shape({ days: whole, by: text, within: whole }),
  loader: words('lifecycle'),
  component: lazyRouteComponent(() => import('@/features/lifecycle/lifecycle-page'), 'LifecyclePage'),
});
const lifecycleStageRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/lifecycle/$stage',
  validateSearch: shape({ days: whole, by: text, within: whole }),
  loader: words('lifecycle', 'actions', 'next'),
  component: lazyRouteComponent(() => import('@/features/lifecycle/stage-page'), 'StagePage'),
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

const webRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/web',
  validateSearch: shape({
    tab: text,
    days: whole,
    from: text,
    to: text,
    filter: record,
    goal: text,
    by: text,
    hour: flag,
    funnel: record,
    paths: record,
    back: record,
    who: record,
  }),
  loader: words('web'),
  component: lazyRouteComponent(() => import('@/features/web/web-page'), 'WebPage'),
});
const interactionsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/interactions',
  validateSearch: shape({ days: whole, from: text, to: text, platform: text, kind: text }),
  loader: words('interactions'),
  component: lazyRouteComponent(() => import('@/features/interactions/interactions-page'), 'InteractionsPage'),
});
const feedbackRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/feedback',
  validateSearch: shape({ days: whole, from: text, to: text, channel: text, product: text, store: text, topic: text }),
  loader: words('feedback'),
  component: lazyRouteComponent(() => import('@/features/feedback/feedback-page'), 'FeedbackPage'),
});
const eventsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/events',
  validateSearch: shape({ tab: text, source: text, name: text, kind: text, state: text, flag: text, person: text }),
  loader: words('tracking'),
  component: lazyRouteComponent(() => import('@/features/events/events-page'), 'EventsPage'),
});

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
  returnRoute,
  setupRoute,
  linkRoute,
  forgotRoute,
  stopRoute,
  preferencesRoute,
  confirmRoute,
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
    identitiesRoute,
    segmentsRoute,
    segmentNewRoute,
    segmentCompareRoute,
    segmentRoute,
    classificationsRoute,
    classificationRoute,
    lifecycleRoute,
    lifecycleStageRoute,
    importsRoute,
    importNewRoute,
    importRoute,
    jobsRoute,
    webRoute,
    interactionsRoute,
    feedbackRoute,
    ...engagePages,
    ...insightPages,
    eventsRoute,
    settingsRoute.addChildren([settingsIndexRoute, ...settingsPages]),
    kitRoute,
  ]),
]);
