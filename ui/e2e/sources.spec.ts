import { settled } from './pages';
import { expect, test, toast } from './support';

test('a source is made, an event comes by its key, and the key is changed', async ({ page, api, t, request }) => {
  const name = `商城 ${Date.now()}`;
  await page.goto('/settings/sources/new');
  await page.getByLabel(t('sources:name')).fill(name);
  await page.getByRole('radio', { name: t('sources:type.server') }).check();
  await page.getByRole('button', { name: t('common:create') }).click();
  const dialog = page.getByRole('dialog');
  const key = (await dialog.getByTestId('write-key').textContent()) ?? '';
  expect(key).toMatch(/^wk_/);
  await expect(dialog.getByText(key, { exact: false }).nth(1)).toBeVisible();
  await dialog.getByRole('button', { name: t('sources:key.kept') }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();
  await expect(page.getByText(t('sources:health.waiting'))).toBeVisible();

  const send = async (writeKey: string, id: string) => {
    const answer = await request.post('/v1/track', {
      headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}` },
      data: { userId: 'u1', event: 'Order Completed', messageId: id, properties: { order_id: id } },
    });
    return answer.status();
  };
  expect(await send(key, `${name}-1`)).toBe(200);
  expect(await send(key, `${name}-1`)).toBe(200);
  await expect(page.getByText(t('sources:health.on'), { exact: true })).toBeVisible({ timeout: 15_000 });

  await page.getByRole('button', { name: t('sources:more') }).click();
  await page.getByRole('menuitem', { name: t('sources:key.rotate') }).click();
  await dialog.getByRole('radio', { name: t('sources:key.hours.0') }).check();
  await dialog.getByRole('button', { name: t('sources:key.rotate') }).click();
  const next = (await dialog.getByTestId('write-key').textContent()) ?? '';
  await dialog.getByRole('button', { name: t('sources:key.kept') }).click();
  expect(next).not.toBe(key);
  expect(await send(next, `${name}-2`)).toBe(200);
  await expect.poll(() => send(key, `${name}-3`), { timeout: 10_000 }).toBe(401);

  await page.getByRole('button', { name: t('sources:off') }).click();
  await expect(toast(page, t('common:saved'))).toBeVisible();
  expect(await send(next, `${name}-4`)).toBe(401);
  const counts = async () => {
    const { items } = await api.get<{ items: { name: string; days: { accepted: number; duplicate: number }[] }[] }>(
      '/event-sources',
    );
    return items.find((each) => each.name === name)?.days.map((day) => [day.accepted, day.duplicate]);
  };
  await expect.poll(counts).toEqual([[2, 1]]);
  await settled(page);
});

test('a mapping is tried on a sample before it is saved', async ({ page, t }) => {
  await page.goto('/settings/sources/new');
  await page.getByLabel(t('sources:name')).fill('收银');
  await page.getByRole('radio', { name: t('sources:type.webhook') }).check();
  await page.getByLabel(t('sources:mapping.sample')).fill('{"no":"1","buyer":{"id":7},"sum":5}');
  await page.getByRole('button', { name: t('sources:mapping.try') }).click();
  await expect(page.getByText(t('sources:mapping.bad'))).toBeVisible();
  await page.getByLabel(t('sources:mapping.event'), { exact: true }).fill('=Order Paid');
  await page.getByLabel(t('sources:mapping.user_id'), { exact: true }).fill('buyer.id');
  await page.getByRole('button', { name: t('sources:mapping.try') }).click();
  await expect(page.getByText(t('sources:mapping.good'))).toBeVisible();
  await expect(page.getByText(t('sources:mapping.forUser', { user: '7' }))).toBeVisible();
});
