import type { APIRequestContext } from '@playwright/test';
import { expect, type RecordData, test, toast, undoJoin } from './support';

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

test('events make customers, and a person decides who is the same', async ({ page, t, api, request, baseURL }) => {
  const base = baseURL ?? '';
  const mark = `u${Date.now()}`;
  const source = await api.post<{ write_key: string }>('/event-sources', { name: mark, type: 'server' });
  const mail = `${mark}@example.com`;
  await send(request, base, source.write_key, [
    { type: 'page', anonymousId: `${mark}-a` },
    { type: 'identify', anonymousId: `${mark}-b`, userId: `${mark}-1`, traits: { name: '韩梅梅', email: mail } },
    { type: 'identify', anonymousId: `${mark}-a`, userId: `${mark}-1` },
    { type: 'identify', anonymousId: `${mark}-c`, userId: `${mark}-2`, traits: { name: '韩美美', email: mail } },
  ]);
  const find = (user: string) =>
    api.post<Found>('/records/customer/query', { where: { field: 'external_id', op: '=', value: user } });
  await expect.poll(async () => (await find(`${mark}-2`)).items.length).toBe(1);
  const first = (await find(`${mark}-1`)).items[0] as RecordData;

  await test.step('the customer page shows the names and the visitors that were joined', async () => {
    await page.goto(`/o/customer/${first.id}?tab=identity`);
    const panel = page.getByRole('tabpanel');
    await expect(panel.getByText(`${mark}-1`, { exact: true })).toBeVisible();
    await expect(panel.getByText('u***@example.com').first()).toBeVisible();
    await panel
      .getByRole('button', { name: t('identities:reveal') })
      .first()
      .click();
    await expect(panel.getByText(mail, { exact: true })).toBeVisible();
    await undoJoin(page, t);
    await expect(panel.getByText(`${mark}-a`, { exact: true })).toHaveCount(0);
  });

  await test.step('two user ids with one address are put before a person', async () => {
    await page.goto('/identities');
    const card = page.getByRole('article').filter({ hasText: '韩美美' });
    await expect(card.getByRole('button', { name: '韩梅梅' })).toBeVisible();
    await card.getByRole('button', { name: t('identities:same'), exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('identities:same') })
      .click();
    await expect(toast(page, t('identities:decided.joined'))).toBeVisible();
    await expect(page.getByRole('article').filter({ hasText: '韩美美' })).toHaveCount(0);
  });

  await test.step('settings are kept', async () => {
    await page.goto('/settings/identity');
    const same = page.getByRole('switch', { name: t('identities:sameName') });
    await same.click();
    await page.getByRole('button', { name: t('common:save') }).click();
    await expect(toast(page, t('identities:saved'))).toBeVisible();
    await page.reload();
    await expect(page.getByRole('switch', { name: t('identities:sameName') })).not.toBeChecked();
  });
});
