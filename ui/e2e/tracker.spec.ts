import type { BrowserContext } from '@playwright/test';
import { openShop, type Shop } from './shop-server';
import { type Api, test as base, expect, type Page } from './support';

const PORT = Number(process.env.GUANXI_E2E_PORT ?? 8311) + 5;
/** A person's browser: robots are counted apart, and a driven one says that it is one. */
const PERSON =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

interface Taken {
  id: string;
  state: string;
  name: string;
  kind: string;
  message_id: string;
  user_id: string;
  anonymous_id: string;
  flags: string[];
  page: string;
}
interface Detail {
  event: Taken;
  properties: Record<string, unknown>;
  context: Record<string, unknown>;
}

/** What the program took from one source, oldest first. */
class Seen {
  constructor(
    private readonly api: Api,
    readonly source: string,
  ) {}

  async all(): Promise<Taken[]> {
    const { items } = await this.api.get<{ items: Taken[] }>(`/events/live?source=${this.source}&limit=500`);
    return items.reverse();
  }

  async names(): Promise<string[]> {
    return (await this.all()).map((each) => each.name);
  }

  async has(...names: string[]): Promise<void> {
    await expect
      .poll(async () => {
        const found = await this.names();
        return names.filter((name) => !found.includes(name));
      })
      .toEqual([]);
  }

  async one(name: string, at = 0): Promise<Detail> {
    const found = (await this.all()).filter((each) => each.name === name);
    const event = found[at];
    if (event === undefined) throw new Error(`no ${name} among ${found.length}`);
    return await this.api.get<Detail>(`/events/live/${event.id}`);
  }
}

interface Watched extends Shop {
  seen: Seen;
  /** Sends an event of its own, behind everything that was sent before. */
  mark: (name: string) => Promise<void>;
}

const test = base.extend<{ shop: Watched; visit: BrowserContext }>({
  shop: async ({ api, baseURL }, use, info) => {
    const made = await api.post<{ source: { id: string }; write_key: string }>('/event-sources', {
      name: `Shop ${info.testId}`,
      type: 'web',
    });
    const shop = await openShop(baseURL ?? '', made.write_key, PORT);
    const mark = async (event: string) => {
      const batch = [{ type: 'track', event, userId: 'marker' }];
      await fetch(`${baseURL}/v1/batch`, { method: 'POST', body: JSON.stringify({ writeKey: made.write_key, batch }) });
    };
    await use({ ...shop, mark, seen: new Seen(api, made.source.id) });
    await shop.close();
    await api.json('DELETE', `/event-sources/${made.source.id}`);
  },
  // A browser of its own: a name that is given to a context alone is not on what is sent while a page closes.
  visit: async ({ playwright, launchOptions }, use) => {
    const args = [`--user-agent=${PERSON}`, '--disable-blink-features=AutomationControlled'];
    const browser = await playwright.chromium.launch({
      ...launchOptions,
      args: [...(launchOptions.args ?? []), ...args],
    });
    const context = await browser.newContext({
      locale: 'en-GB',
      timezoneId: 'Europe/London',
      storageState: { cookies: [], origins: [] },
    });
    await use(context);
    await browser.close();
  },
});

const kept = (page: Page) =>
  page.evaluate(() => ({
    storage: Object.keys(localStorage).filter((key) => key.startsWith('gx')),
    cookie: document.cookie,
  }));

test('a walk through a shop is told once, and nothing is kept without consent', async ({ shop, visit, baseURL }) => {
  const page = await visit.newPage();
  const loaded = page.waitForResponse(`${baseURL}/t.js`);
  await page.goto(`${shop.url}/index.html?utm_source=wechat&utm_campaign=autumn&email=anna%40example.com`);
  const script = await loaded;
  expect(Number(script.headers()['content-length'])).toBeLessThan(5 * 1024);
  expect(script.headers()['cross-origin-resource-policy']).toBe('cross-origin');
  await page.getByRole('button', { name: 'Autumn' }).click();
  await page.getByRole('button', { name: 'Ignored' }).click();
  const file = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Size chart' }).click();
  await file;
  await page.getByRole('searchbox').fill('dress');
  await page.getByRole('searchbox').press('Enter');
  await page.getByRole('link', { name: 'Jade dress' }).click();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await page.getByRole('link', { name: 'Cart' }).click();
  await page.getByRole('link', { name: 'Checkout' }).click();
  await page.locator('input[name=recipient]').fill('Anna Secret');
  await page.getByRole('button', { name: 'Pay' }).click();
  await expect(page.getByRole('heading', { name: 'Thank you' })).toBeVisible();
  await shop.seen.has('Order Completed', 'Form Submitted', 'Checkout Started', 'Product Added', 'File Downloaded');

  const list = await shop.seen.all();
  const count = (name: string) => list.filter((each) => each.name === name).length;
  for (const name of [
    'Product List Viewed',
    'Banner Clicked',
    'File Downloaded',
    'Products Searched',
    'Product Viewed',
    'Product Added',
    'Cart Viewed',
    'Checkout Started',
    'Order Completed',
  ])
    expect(count(name), name).toBe(1);
  expect(count('Page Viewed')).toBe(6);
  expect(count('Form Submitted')).toBe(2);
  expect(count('Never')).toBe(0);
  expect(new Set(list.map((each) => each.message_id)).size).toBe(list.length);
  expect(list.filter((each) => each.flags.includes('bot'))).toEqual([]);
  const visitors = new Set(list.map((each) => each.anonymous_id));
  expect([...visitors]).toEqual([expect.stringMatching(/^v_[0-9a-z]{24}$/)]);
  expect(await kept(page)).toEqual({ storage: [], cookie: '' });
  expect(await visit.cookies(shop.url)).toEqual([]);

  const first = await shop.seen.one('Page Viewed');
  expect(first.properties).toMatchObject({
    path: '/index.html',
    title: 'Green Shop',
    search: '?utm_source=wechat&utm_campaign=autumn',
  });
  expect(first.context).toMatchObject({
    campaign: { source: 'wechat', name: 'autumn' },
    locale: 'en-GB',
    timezone: 'Europe/London',
    library: { name: 'guanxi.js' },
  });
  expect(JSON.stringify(first)).not.toContain('anna');
  expect((await shop.seen.one('Banner Clicked')).properties).toEqual({ banner: 'autumn', position: 1 });
  expect((await shop.seen.one('Form Submitted', 1)).properties).toMatchObject({
    form_id: 'checkout',
    fields: ['recipient', 'phone'],
  });
  expect(JSON.stringify(await shop.seen.one('Form Submitted', 1))).not.toContain('Secret');
  expect((await shop.seen.one('Order Completed')).properties).toMatchObject({
    order_id: 'D-1001',
    revenue: 399,
    currency: 'CNY',
  });
});

test('with consent the visitor is one over pages and tabs, and another after a reset', async ({ shop, visit }) => {
  const page = await visit.newPage();
  await page.goto(`${shop.url}/index.html`);
  await page.getByRole('button', { name: 'Agree' }).click();
  expect((await kept(page)).storage.sort()).toEqual(expect.arrayContaining(['gx_consent', 'gx_id']));
  await page.goto(`${shop.url}/login.html`);
  await page.getByRole('button', { name: 'Log in' }).click();
  const tab = await visit.newPage();
  await tab.goto(`${shop.url}/product.html?id=p2`);
  await shop.seen.has('Identified', 'Product Viewed');
  const known = (await shop.seen.all()).filter((each) => !each.anonymous_id.startsWith('v_'));
  expect(new Set(known.map((each) => each.anonymous_id)).size).toBe(1);
  const shown = await shop.seen.one('Product Viewed');
  expect(shown.event.user_id).toBe('u-77');
  const who = await shop.seen.one('Identified');
  expect(JSON.stringify(who)).not.toContain('anna@example.com');
  expect(who.properties).toMatchObject({ city: 'Shanghai' });
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.goto(`${shop.url}/cart.html`);
  await shop.seen.has('Cart Viewed');
  const later = await shop.seen.one('Cart Viewed');
  expect(later.event.user_id).toBe('');
  expect(later.event.anonymous_id).not.toBe(known[0]?.anonymous_id);
  await page.getByRole('button', { name: 'Refuse' }).click();
  expect(await kept(page)).toEqual({ storage: [], cookie: '' });
  await page.getByRole('button', { name: 'Do not count me' }).click();
  await page.goto(`${shop.url}/product.html?id=p3`);
  await page.waitForFunction(() => window.guanxi?.loaded === true);
  await page.goto('about:blank');
  await shop.mark('After');
  await shop.seen.has('After');
  expect((await shop.seen.names()).filter((name) => name === 'Product Viewed')).toHaveLength(1);
});

test('single-page shops, time looked at, back and forward', async ({ shop, visit }) => {
  const page = await visit.newPage();
  await page.goto(`${shop.url}/spa/start`);
  await shop.seen.has('Page Viewed');
  await page.getByRole('link', { name: 'One' }).click();
  await expect(page.getByRole('heading', { name: '/spa/one' })).toBeVisible();
  await page.mouse.wheel(0, 400);
  await expect.poll(() => page.evaluate(() => performance.now())).toBeGreaterThan(2500);
  await page.getByRole('link', { name: 'Two' }).click();
  await expect(page.getByRole('heading', { name: '/spa/two' })).toBeVisible();
  await expect.poll(async () => (await shop.seen.names()).filter((name) => name === 'Page Viewed').length).toBe(3);
  await page.goBack();
  await expect(page.getByRole('heading', { name: '/spa/one' })).toBeVisible();
  await expect.poll(async () => (await shop.seen.names()).filter((name) => name === 'Page Viewed').length).toBe(4);
  await page.goForward();
  await expect.poll(async () => (await shop.seen.names()).filter((name) => name === 'Page Viewed').length).toBe(5);
  const views = (await shop.seen.all())
    .filter((each) => each.name === 'Page Viewed')
    .map((each) => new URL(each.page).pathname);
  expect(views).toEqual(['/spa/start', '/spa/one', '/spa/two', '/spa/one', '/spa/two']);
  const second = await shop.seen.one('Page Viewed', 1);
  expect(second.properties).toMatchObject({ title: 'Shop /spa/one', referrer: `${shop.url}/spa/start` });
  await page.close({ runBeforeUnload: true });
  const engaged = async () => (await shop.seen.all()).filter((each) => each.name === 'Page Engaged');
  await expect.poll(async () => (await engaged()).some((each) => each.page.endsWith('/spa/one'))).toBe(true);
  const spent = await shop.seen.one(
    'Page Engaged',
    (await engaged()).findIndex((each) => each.page.endsWith('/spa/one')),
  );
  expect(spent.properties.dwell_ms).toBeGreaterThan(300);
  expect(spent.properties.dwell_ms).toBeLessThan(60_000);
  expect(spent.properties.scroll).toBeGreaterThan(0);
});

test('without a connection nothing is lost, and nothing is told twice', async ({ shop, visit }) => {
  const page = await visit.newPage();
  await page.goto(`${shop.url}/product.html?id=p3`);
  await shop.seen.has('Product Viewed');
  await visit.setOffline(true);
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await page.evaluate(() => window.guanxi?.('track', 'Said Offline', { n: 1 }));
  await page.evaluate(() => window.guanxi?.('flush'));
  expect(await shop.seen.names()).not.toContain('Said Offline');
  await visit.setOffline(false);
  await shop.seen.has('Product Added', 'Said Offline');
  // The answer to what was taken is lost once: the same ids come again.
  let lost = 0;
  await page.route('**/v1/batch', async (route) => {
    if (lost++ > 0) return await route.continue();
    await route.fetch();
    await route.abort();
  });
  await page.evaluate(() => window.guanxi?.('track', 'Answer Lost', {}));
  await expect.poll(() => lost, { timeout: 20_000 }).toBeGreaterThan(1);
  const states = async () =>
    (await shop.seen.all()).filter((each) => each.name === 'Answer Lost').map((each) => each.state);
  await expect.poll(states).toEqual(['accepted', 'duplicate']);
  const list = await shop.seen.all();
  for (const name of ['Product Added', 'Said Offline'])
    expect(list.filter((each) => each.name === name && each.state === 'accepted').length, name).toBe(1);
});
