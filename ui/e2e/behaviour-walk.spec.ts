import type { Browser, Page } from '@playwright/test';
import { openShop } from './shop-server';
import { expect, type RecordData, test, undoJoin } from './support';

const PORT = Number(process.env.GUANXI_E2E_PORT ?? 8311) + 6;
/** A person's browser: robots are counted apart, and a driven one says that it is one. */
const PERSON =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

interface Identities {
  profiles: { identifiers: { namespace: string; text: string }[] }[];
}

/** A device of the visitor that agreed to be remembered. */
async function device(browser: Browser, shop: string): Promise<Page> {
  const context = await browser.newContext({ locale: 'zh-CN', storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto(`${shop}/index.html`);
  await page.getByRole('button', { name: 'Agree' }).click();
  return page;
}

async function look(page: Page, product: string): Promise<void> {
  await page.goto(`${page.url().replace(/\/[^/]*$/, '')}/index.html`);
  await page.getByRole('link', { name: product }).click();
  await expect(page.getByRole('heading', { name: product })).toBeVisible();
}

test('from a click in a shop to a segment, and from two devices to one customer and back', async ({
  page,
  t,
  api,
  baseURL,
  playwright,
  launchOptions,
}, info) => {
  const stamp = Date.now().toString(36);
  const user = `walk-${stamp}`;
  const key = `walked_${stamp}`;
  const made = await api.post<{ source: { id: string }; write_key: string }>('/event-sources', {
    name: `Walk ${stamp}`,
    type: 'web',
  });
  const shop = await openShop(baseURL ?? '', made.write_key, PORT);
  const args = [`--user-agent=${PERSON}`, '--disable-blink-features=AutomationControlled'];
  const visitors = await playwright.chromium.launch({
    ...launchOptions,
    args: [...(launchOptions.args ?? []), ...args],
  });
  const find = async () =>
    (
      await api.post<{ items: RecordData[] }>('/records/customer/query', {
        where: { field: 'external_id', op: '=', value: user },
      })
    ).items;
  const anonymous = async (customer: string) =>
    (await api.get<Identities>(`/customers/${customer}/identities`)).profiles
      .flatMap((each) => each.identifiers)
      .filter((each) => each.namespace === 'anonymous_id');

  await page.goto(`/events?source=${made.source.id}`);
  const live = page.getByRole('region', { name: t('tracking:tab.live') });
  const laptop = await device(visitors, shop.url);
  await test.step('what is clicked stands in the live view at once', async () => {
    await look(laptop, 'Jade dress');
    await laptop.getByRole('button', { name: 'Add to cart' }).click();
    await expect(live.getByRole('button', { name: 'Product Added' })).toBeVisible();
    await expect(live.getByRole('button', { name: 'Product Viewed' })).toBeVisible();
    await info.attach('live', { body: await page.screenshot(), contentType: 'image/png' });
  });
  await test.step('it is a visit, and its pages are counted', async () => {
    const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    await expect
      .poll(
        async () =>
          (
            await api.post<{ steps: { count: number }[] }>('/web/funnel', {
              from: day(-1),
              to: day(1),
              window_days: 1,
              steps: [{ event: 'Product Viewed' }, { event: 'Product Added' }],
            })
          ).steps.at(-1)?.count ?? 0,
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
    const filter = encodeURIComponent(JSON.stringify({ through: made.source.id }));
    await page.goto(`/web?from=${day(-1)}&to=${day(1)}&filter=${filter}`);
    await page.getByRole('tab', { name: t('web:tab.pages') }).click();
    await expect(page.getByText('/product.html').first()).toBeVisible();
  });
  const signIn = async (on: Page) => {
    await on.goto(`${shop.url}/login.html?user=${user}&mail=${user}@example.com`);
    await on.getByRole('button', { name: 'Log in' }).click();
  };
  await signIn(laptop);
  await expect.poll(async () => (await find()).length, { timeout: 20_000 }).toBe(1);
  const customer = (await find())[0] as RecordData;

  await test.step('what a trait of our own counts leads into a segment', async () => {
    await api.post('/traits/computed', {
      key,
      label: { 'zh-CN': `看过的商品 ${stamp}`, en: `Products seen ${stamp}` },
      figure: { of: { event: 'Product Viewed', within: { days: 30 } }, kind: 'counter' },
    });
    const where = {
      all: [
        { trait: key, op: '>=', value: 1 },
        { field: 'external_id', op: '=', value: user },
      ],
    };
    await expect
      .poll(async () => (await api.post<{ count: number }>('/segments/count', { where })).count, { timeout: 20_000 })
      .toBe(1);
    await api.post('/segments', { key: `walk_${stamp}`, label: `Walk ${stamp}`, where });
    await page.goto(`/segments/walk_${stamp}`);
    await expect(page.getByText(customer.title).first()).toBeVisible();
  });

  const phone = await device(visitors, shop.url);
  await look(phone, 'Silk scarf');
  await signIn(phone);
  await expect.poll(async () => (await anonymous(customer.id)).length, { timeout: 20_000 }).toBe(2);
  await test.step('both devices are one customer, until a person takes them apart', async () => {
    await page.goto(`/o/customer/${customer.id}?tab=identity`);
    const panel = page.getByRole('tabpanel');
    for (const each of await anonymous(customer.id)) await expect(panel.getByText(each.text).first()).toBeVisible();
    await info.attach('identity', { body: await page.screenshot(), contentType: 'image/png' });
    await undoJoin(page, t);
    await expect.poll(async () => (await anonymous(customer.id)).length).toBe(1);
  });
  await visitors.close();
  await shop.close();
  await api.json('DELETE', `/event-sources/${made.source.id}`);
});
