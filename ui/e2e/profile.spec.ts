import type { APIRequestContext } from '@playwright/test';
import { settled } from './pages';
import { expect, type RecordData, test } from './support';

interface Found {
  items: RecordData[];
}

/** Sends calls as a shop's server does. */
async function send(request: APIRequestContext, base: string, key: string, calls: object[]) {
  const answer = await request.post(`${base}/v1/batch`, {
    headers: { Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
    data: { batch: calls.map((call, at) => ({ messageId: `${Date.now()}-${at}-${Math.random()}`, ...call })) },
  });
  expect(answer.status()).toBe(200);
}

test('what a customer does appears in the open page, opens, and is found again', async ({
  page,
  t,
  api,
  request,
  baseURL,
}) => {
  const base = baseURL ?? '';
  const user = `live${Date.now()}`;
  const source = await api.post<{ write_key: string }>('/event-sources', { name: user, type: 'server' });
  const view = (path: string, title: string) => ({
    type: 'page',
    userId: user,
    context: { page: { url: `https://shop.example.com${path}`, path, title } },
  });
  await send(request, base, source.write_key, [{ type: 'identify', userId: user, traits: { name: '周晓' } }]);
  const find = () =>
    api.post<Found>('/records/customer/query', { where: { field: 'external_id', op: '=', value: user } });
  await expect.poll(async () => (await find()).items.length).toBe(1);
  const customer = (await find()).items[0] as RecordData;

  await page.goto(`/o/customer/${customer.id}`);
  await settled(page);
  const panel = page.getByRole('tabpanel');
  const visit = page.getByRole('button', { name: /shop\.example\.com/ });
  await expect(visit).toHaveCount(0);

  await test.step('an event is there without a reload, and opens', async () => {
    await send(request, base, source.write_key, [view('/dress/7', '连衣裙'), view('/cart', '购物车')]);
    await expect(visit).toHaveCount(1);
    const entry = panel.getByRole('listitem').filter({ has: visit });
    await expect(entry.getByText(t('work:just'))).toBeVisible();
    await visit.click();
    await expect(entry.getByText('连衣裙', { exact: true })).toBeVisible();
    await expect(entry.getByText('购物车', { exact: true })).toBeVisible();
    await visit.click();
  });

  await test.step('an order of the customer too', async () => {
    const order = await api.create('order', { customer: customer.id, net_amount: '12.00' });
    await expect(panel.getByText(order.title).first()).toBeVisible();
  });

  await test.step('kinds are chosen together, and words are looked for', async () => {
    const choose = (key: string) => panel.getByRole('button', { name: t(`work:filter.${key}`), exact: true });
    await choose('behaviour').click();
    await expect(panel.getByRole('listitem').filter({ has: visit })).toHaveCount(1);
    await expect(panel.getByText(customer.title, { exact: true })).toHaveCount(0);
    await choose('trade').click();
    await expect(choose('behaviour')).toHaveAttribute('aria-pressed', 'true');
    await expect(panel.locator('ol > li')).toHaveCount(2);
    await choose('all').click();
    await choose('find').click();
    await panel.getByRole('searchbox', { name: t('profile:find.search') }).fill('购物车');
    await expect(panel.locator('ol > li')).toHaveCount(1);
    await panel.getByRole('searchbox', { name: t('profile:find.search') }).fill('没有这样的词');
    await expect(panel.getByText(t('work:filter.nothing'))).toBeVisible();
  });

  await test.step('figures stand on the tab, on a phone as well', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`/o/customer/${customer.id}?tab=behaviour`);
    await expect(page.getByRole('heading', { name: t('profile:behaved.days') })).toBeVisible();
    await expect(page.getByRole('listitem').filter({ hasText: '连衣裙' }).first()).toBeVisible();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, 'nothing lies beside the screen').toBeLessThanOrEqual(0);
  });
});
