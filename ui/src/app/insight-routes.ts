import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shape, text, whole } from '@/lib/search-params';
import { appRoute, words } from './frame-route';

/** What is worked out of customers: value, churn, models and what they find. */
export const insightPages = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/value',
    validateSearch: shape({ tab: text }),
    loader: words('value'),
    component: lazyRouteComponent(() => import('@/features/value/value-page'), 'ValuePage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/churn',
    validateSearch: shape({ tab: text }),
    loader: words('churn', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/churn/churn-page'), 'ChurnPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/models',
    loader: words('models'),
    component: lazyRouteComponent(() => import('@/features/models/models-page'), 'ModelsPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/models/$key',
    validateSearch: shape({ version: whole, beside: whole }),
    loader: words('models', 'traits'),
    component: lazyRouteComponent(() => import('@/features/models/model-page'), 'ModelPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/clusters',
    loader: words('clusters'),
    component: lazyRouteComponent(() => import('@/features/clusters/clusters-page'), 'ClustersPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/actions',
    validateSearch: shape({ tab: text, play: text, mine: text }),
    loader: words('actions', 'next', 'conditions'),
    component: lazyRouteComponent(() => import('@/features/actions/actions-page'), 'ActionsPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/forecast',
    validateSearch: shape({
      tab: text,
      figure: text,
      period: text,
      dimension: text,
      value: text,
      ahead: whole,
      from: text,
      to: text,
      before_from: text,
      before_to: text,
      by: text,
      first: text,
      second: text,
    }),
    loader: words('forecast'),
    component: lazyRouteComponent(() => import('@/features/forecast/forecast-page'), 'ForecastPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/recommend',
    validateSearch: shape({ tab: text, product: text }),
    loader: words('recommend'),
    component: lazyRouteComponent(() => import('@/features/recommend/recommend-page'), 'RecommendPage'),
  }),
];
