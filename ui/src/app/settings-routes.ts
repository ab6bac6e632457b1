import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { flag, shape, text } from '@/lib/search-params';
import { appRoute, words } from './frame-route';

export const settingsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/settings',
  loader: words('settings', 'auth'),
  component: lazyRouteComponent(() => import('@/features/settings/settings-layout'), 'SettingsLayout'),
});
export const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/profile', replace: true });
  },
});
export const settingsPages = [
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'profile',
    loader: words('links'),
    component: lazyRouteComponent(() => import('@/features/settings/profile-page'), 'ProfilePage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'security',
    loader: words('ways'),
    component: lazyRouteComponent(() => import('@/features/settings/security-page'), 'SecurityPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'signins',
    loader: words('ways'),
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
    path: 'sso',
    loader: words('sso'),
    component: lazyRouteComponent(() => import('@/features/settings/sso-page'), 'SsoPage'),
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
    path: 'sources',
    loader: words('sources'),
    component: lazyRouteComponent(() => import('@/features/settings/sources-page'), 'SourcesPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'sources/new',
    loader: words('sources'),
    component: lazyRouteComponent(() => import('@/features/settings/sources-edit'), 'SourceNewPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'sources/$id',
    loader: words('sources'),
    component: lazyRouteComponent(() => import('@/features/settings/sources-detail'), 'SourcePage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'sources/$id/edit',
    loader: words('sources'),
    component: lazyRouteComponent(() => import('@/features/settings/sources-edit'), 'SourceEditPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'sources/$id/history',
    loader: words('sources'),
    component: lazyRouteComponent(() => import('@/features/settings/sources-history'), 'SourceHistoryPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'mail',
    loader: words('mail'),
    component: lazyRouteComponent(() => import('@/features/settings/mail-page'), 'MailPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'channels',
    loader: words('channels'),
    component: lazyRouteComponent(() => import('@/features/settings/channels-page'), 'ChannelsPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'automations',
    loader: words('automations', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/automations/pages'), 'AutomationsPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'automations/$id',
    /** `new` is a rule that is being made, of a template perhaps. */
    validateSearch: shape({ template: text, edit: flag }),
    loader: words('automations', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/automations/pages'), 'AutomationRoute'),
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
    path: 'identity',
    loader: words('identities'),
    component: lazyRouteComponent(() => import('@/features/identities/settings-page'), 'IdentitySettingsPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'consent',
    validateSearch: shape({ tab: text }),
    loader: words('consent'),
    component: lazyRouteComponent(() => import('@/features/consent/settings-page'), 'ConsentSettingsPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'rfm',
    component: lazyRouteComponent(() => import('@/features/settings/rfm-page'), 'RfmPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'traits',
    loader: words('traits'),
    component: lazyRouteComponent(() => import('@/features/settings/traits-page'), 'TraitsPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'traits/new',
    loader: words('traits', 'behaviour', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/settings/traits-edit'), 'TraitNewPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'traits/$key',
    loader: words('traits', 'behaviour', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/settings/traits-edit'), 'TraitEditPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: 'privacy',
    validateSearch: shape({ tab: text }),
    loader: words('privacy', 'records', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/privacy/privacy-page'), 'PrivacyPage'),
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
