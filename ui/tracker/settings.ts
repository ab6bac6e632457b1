import type { Settings } from './types';

/** Reads the attributes of the script's element. Null where the key is missing: nothing can be sent. */
export function readSettings(element: HTMLScriptElement): Settings | null {
  const { key, host, query, hash, auto, domain, signals } = element.dataset;
  if (!key) return null;
  const parts = auto?.split(',').map((part) => part.trim());
  return {
    key,
    host: (host ?? new URL(element.src, location.href).origin).replace(/\/$/, ''),
    query: query?.split(',').map((name) => name.trim()) ?? [],
    hash: hash !== undefined,
    auto: (what) => parts?.includes(what) ?? true,
    domain: domain ?? '',
    ignoreSignals: signals === 'ignore',
  };
}

/** The browser says that its user does not want to be followed: Global Privacy Control, or Do Not Track. */
export const refuses = (): boolean => {
  const says = navigator as Navigator & { globalPrivacyControl?: boolean };
  return says.globalPrivacyControl === true || says.doNotTrack === '1';
};
