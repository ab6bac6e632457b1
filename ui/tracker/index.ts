/**
 * The tracker that a website loads from /t.js. It keeps nothing in the browser and has no id of the visitor until the site says
 * that they agreed; what it sends are calls of the Segment specification to /v1/batch.
 */

import type { OnsiteItem } from '../src/lib/onsite-card';
import { Dwell } from './dwell';
import type { Look } from './messages';
import { notice } from './notice';
import { campaign, readPage } from './page';
import { readSettings, refuses } from './settings';
import { Transport } from './transport';
import type { Message, Page, Properties, Settings } from './types';
import { randomId, Visitor } from './visitor';

declare const __TRACKER_VERSION__: string;

type Call = (name: string, ...rest: unknown[]) => unknown;
type Global = Call & { q?: ArrayLike<unknown>[]; loaded?: boolean };
declare global {
  interface Window {
    guanxi?: Global;
  }
}

/** Calls named as the events of the e-commerce specification: `guanxi('productViewed', {…})` is "Product Viewed". */
const SHOP =
  /^(products?(List)?(Searched|Viewed|Filtered|Clicked|Added|Removed|Shared|Reviewed)|product(AddedTo|RemovedFrom)Wishlist|wishlistProductAddedToCart|promotion(Viewed|Clicked)|cart(Viewed|Shared)|checkout(Started|Step(Viewed|Completed))|paymentInfoEntered|order(Completed|Updated|Refunded|Cancelled)|coupon(Entered|Applied|Denied|Removed))$/;
const eventName = (call: string): string =>
  (call.charAt(0).toUpperCase() + call.slice(1))
    .replace(/([A-Z])/g, ' $1')
    .trim()
    .replace(/ (To|From) /, (word) => word.toLowerCase());

function start(settings: Settings, waiting: ArrayLike<unknown>[]): void {
  const visitor = new Visitor(settings);
  // Read once: a page that is being left does not know itself any more.
  const transport = new Transport(settings, visitor, {
    library: { name: 'guanxi.js', version: __TRACKER_VERSION__ },
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    userAgent: navigator.userAgent,
    ...(navigator.webdriver && { bot: true }),
  });
  const dwell = new Dwell();
  /** The page that is looked at; null before the first view. */
  let shown: Page | null = null;
  let from = document.referrer;
  /** Looks for messages of a page, where the site has any. */
  let look: Look = () => undefined;

  const silent = () => visitor.out || (refuses() && !settings.ignoreSignals && !visitor.agreed);

  function send(type: Message['type'], more: Properties, page: Page, context: Properties = {}): void {
    if (silent()) return;
    const { consent, id, user } = visitor;
    const found = campaign(page.search);
    transport.push({
      type,
      messageId: randomId(),
      timestamp: new Date().toISOString(),
      anonymousId: id,
      ...(user && { userId: user }),
      ...more,
      context: {
        page,
        ...(found && { campaign: found }),
        ...(consent && { consent: { categoryPreferences: consent } }),
        ...(id === '' && { cookieless: true }),
        ...context,
      },
    });
  }

  const here = (): Page => readPage(settings, from);
  const track = (event: string, properties: Properties = {}, page = shown ?? here()): void =>
    send('track', { event, properties }, page);

  /** How long the page that is shown was looked at since this was said last. */
  function engaged(): void {
    const part = dwell.take();
    if (shown !== null && part.dwell_ms >= 100 && settings.auto('dwell'))
      track('Page Engaged', { ...part, url: shown.url });
  }

  function view(name?: string, properties: Properties = {}): void {
    engaged();
    if (shown !== null) from = shown.url;
    const page = here();
    dwell.again();
    shown = page;
    send('page', { ...(name !== undefined && { name }), properties: { ...page, ...properties } }, page);
    look(location.pathname);
  }

  async function messages(): Promise<void> {
    if (silent() || !settings.auto('messages')) return;
    const { host, key } = settings;
    const answer = await fetch(`${host}/v1/onsite/${key}?id=${visitor.id}&lang=${navigator.language}`);
    const { items = [] } = (await answer.json()) as { items?: OnsiteItem[] };
    if (items.length === 0) return;
    const script = document.createElement('script');
    script.src = `${host}/m.js`;
    script.onload = () => {
      look = window.guanxiMessages?.(items, { track, agreed: () => visitor.agreed }) ?? look;
      look(location.pathname);
    };
    document.head.append(script);
  }

  /** A page of its own behind an address that changed without a load; its title comes a moment later. */
  let settling = 0;
  function moved(): void {
    clearTimeout(settling);
    settling = window.setTimeout(() => {
      if (shown !== null && here().url !== shown.url) view();
    }, 20);
  }
  function watchPages(): void {
    for (const way of ['pushState', 'replaceState'] as const) {
      const original = history[way];
      history[way] = function (...args) {
        original.apply(this, args);
        moved();
      };
    }
    addEventListener('popstate', moved);
    if (settings.hash) addEventListener('hashchange', moved);
    // A page that comes back out of the browser's memory was not loaded, and is looked at once more.
    addEventListener('pageshow', (event) => event.persisted && view());
    const prerendered = document as Document & { prerendering?: boolean };
    if (prerendered.prerendering) document.addEventListener('prerenderingchange', () => view(), { once: true });
    else view();
  }

  const api: Record<string, (...args: never[]) => unknown> = {
    track: (event: string, properties?: Properties) => track(event, properties),
    page: view,
    identify(user: string | Properties, traits?: Properties) {
      if (typeof user !== 'object') visitor.identify(String(user));
      send('identify', { traits: (typeof user === 'object' ? user : traits) ?? {} }, shown ?? here());
    },
    group: (groupId: string, traits: Properties = {}) => send('group', { groupId, traits }, shown ?? here()),
    alias: (userId: string, previousId = visitor.id || visitor.user) =>
      previousId !== '' && send('alias', { userId, previousId }, shown ?? here()),
    reset: () => visitor.reset(),
    consent(to: boolean | Record<string, boolean>) {
      const before = silent();
      visitor.agree(to);
      if (visitor.agreed) transport.adopt();
      if (before && !silent() && settings.auto('pages')) view();
    },
    optOut() {
      visitor.leave(true);
      transport.drop();
    },
    optIn: () => visitor.leave(false),
    flush: () => transport.send(),
    id: () => visitor.id,
    ready: (then: () => void) => then(),
  };

  const call: Global = (name, ...rest) => {
    if (name in api) return api[name]?.(...(rest as never[]));
    if (SHOP.test(name)) return track(eventName(name), rest[0] as Properties | undefined);
    throw new TypeError(`guanxi: ${name} is not a call`);
  };
  call.loaded = true;
  window.guanxi = call;

  // A wish about what is kept comes before the first page is told.
  const calls = [...waiting].map((each) => Array.from(each) as [string, ...unknown[]]);
  const early = ([name]: [string, ...unknown[]]) => /^(consent|opt)/.test(name);
  const run = (each: [string, ...unknown[]]) => {
    try {
      call(...each);
    } catch (error) {
      reportError(error);
    }
  };
  calls.filter(early).forEach(run);
  if (settings.auto('pages')) watchPages();
  notice(settings, track);
  calls.filter((each) => !early(each)).forEach(run);
  messages().catch(() => undefined);

  const leave = (): void => {
    engaged();
    transport.last();
  };
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave();
    else dwell.take();
  });
  addEventListener('pagehide', leave);
}

const element = document.currentScript;
const settings = element instanceof HTMLScriptElement ? readSettings(element) : null;
if (settings !== null && !window.guanxi?.loaded) start(settings, window.guanxi?.q ?? []);
