import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

/** A part that a page can do without: where its code cannot be fetched, nothing stands there instead of an error. */
export function lazyPart<P>(load: () => Promise<ComponentType<P>>): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => {
    try {
      return { default: await load() };
    } catch {
      return { default: (() => null) as ComponentType<P> };
    }
  });
}
