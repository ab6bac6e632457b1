import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shape, text, whole } from '@/lib/search-params';
import { appRoute, words } from './frame-route';

/** What is done with what is known of customers: campaigns, templates, offers. */
export const engagePages = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/campaigns',
    validateSearch: shape({ tab: text }),
    loader: words('campaigns'),
    component: lazyRouteComponent(() => import('@/features/campaigns/campaigns-page'), 'CampaignsPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/campaigns/$id',
    loader: words('campaigns'),
    component: lazyRouteComponent(() => import('@/features/campaigns/campaign-page'), 'CampaignPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/journeys',
    validateSearch: shape({ tab: text }),
    loader: words('journeys'),
    component: lazyRouteComponent(() => import('@/features/journeys/journeys-page'), 'JourneysPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/journeys/$id',
    validateSearch: shape({ publish: text }),
    loader: words('journeys'),
    component: lazyRouteComponent(() => import('@/features/journeys/journey-page'), 'JourneyPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/templates',
    loader: words('campaigns'),
    component: lazyRouteComponent(() => import('@/features/campaigns/templates-page'), 'TemplatesPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/templates/$id',
    validateSearch: shape({ version: whole }),
    loader: words('campaigns'),
    component: lazyRouteComponent(() => import('@/features/campaigns/template-page'), 'TemplatePage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/offers',
    loader: words('offers'),
    component: lazyRouteComponent(() => import('@/features/offers/offers-page'), 'OffersPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/offers/$id',
    validateSearch: shape({ tab: text }),
    loader: words('offers'),
    component: lazyRouteComponent(() => import('@/features/offers/offer-page'), 'OfferPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/forms',
    validateSearch: shape({ tab: text }),
    loader: words('forms'),
    component: lazyRouteComponent(() => import('@/features/forms/forms-page'), 'FormsPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/forms/$id',
    validateSearch: shape({ tab: text, state: text, code: text, source: text, campaign: text, from: text, to: text }),
    loader: words('forms', 'consent'),
    component: lazyRouteComponent(() => import('@/features/forms/form-page'), 'FormPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/onsite',
    loader: words('onsite'),
    component: lazyRouteComponent(() => import('@/features/onsite/onsite-page'), 'OnsitePage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/onsite/$id',
    loader: words('onsite'),
    component: lazyRouteComponent(() => import('@/features/onsite/message-page'), 'OnsiteMessagePage'),
  }),
];
