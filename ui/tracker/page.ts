import type { Page, Properties, Settings } from './types';

/** What advertisements add to an address, by which a visit is theirs. */
const CLICK =
  /^(utm_\w+|dclid|gclsrc|gclid|[gw]braid|msclkid|(fbc|ttc|twc|yc)lid|qhclickid|li_fat_id|epik|(bd|sg|gdt|uc)_vid|sogou_click_id|qz_gdt|(xhs_)?click_?id|uctrackid|track_id|ks_callback|callback_param)$/;
const LONGEST = 2000;

/** An address without what may name a person: of its query string only campaigns and the names that the site lists. */
export function clean(address: string, settings: Settings): string {
  let url: URL;
  try {
    url = new URL(address, location.href);
  } catch {
    return '';
  }
  for (const name of [...url.searchParams.keys()])
    if (!CLICK.test(name) && !settings.query.includes(name)) url.searchParams.delete(name);
  if (!settings.hash) url.hash = '';
  url.username = url.password = '';
  return url.href.slice(0, LONGEST);
}

export function readPage(settings: Settings, referrer: string): Page {
  const url = clean(location.href, settings);
  const { pathname, search, hash } = new URL(url);
  return {
    url,
    path: pathname + (settings.hash ? hash : ''),
    search,
    title: document.title.slice(0, 500),
    referrer: referrer && clean(referrer, settings),
  };
}

/** The campaign of an address in the words of the specification; undefined for none. */
export function campaign(search: string): Properties | undefined {
  const found: Properties = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const part = name.match(/^utm_(\w+)$/)?.[1];
    if (part !== undefined) found[part === 'campaign' ? 'name' : part] = value;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
