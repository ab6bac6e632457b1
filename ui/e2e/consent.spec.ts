import { expect, type RecordData, test, toast } from './support';

test('consent is recorded, withdrawn by the customer, and seen in a segment', async ({
  page,
  t,
  api,
  browser,
  baseURL,
}) => {
  const mark = `u${Date.now()}`;
  const customer = await api.post<RecordData>('/records/customer', {
    fields: { name: mark, email: `${mark}@example.com` },
  });
  const where = (state: string) => ({
    all: [
      { trait: 'consent_marketing_email', op: '=', value: state },
      { field: 'name', op: '=', value: mark },
    ],
  });
  const count = async (state: string) =>
    (await api.post<{ count: number }>('/segments/count', { where: where(state) })).count;
  const place = page.locator('[data-place="marketing.email"]');

  await test.step('somebody records what the customer said', async () => {
    await page.goto(`/o/customer/${customer.id}?tab=consent`);
    await expect(place).toContainText(t('consent:state.none'));
    await page.getByRole('button', { name: t('consent:record') }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(t('consent:note'), { exact: false }).fill('柜台');
    await dialog.getByRole('button', { name: t('common:save'), exact: true }).click();
    await expect(toast(page, t('consent:recorded'))).toBeVisible();
    await expect(place).toContainText(t('consent:state.given'));
    await expect(page.getByRole('tabpanel').getByText('柜台')).toBeVisible();
    await expect.poll(() => count('given')).toBe(1);
  });

  await test.step('the customer withdraws on the page of preferences, without signing in', async () => {
    const { url } = await api.post<{ url: string }>(`/customers/${customer.id}/consents/link`, {});
    const elsewhere = await browser.newContext({
      viewport: { width: 390, height: 844 },
      storageState: { cookies: [], origins: [] },
    });
    const theirs = await elsewhere.newPage();
    await theirs.goto(new URL(url.replace(/^https?:\/\/[^/]+/, ''), baseURL).href);
    await expect(theirs.getByText('u***@example.com')).toBeVisible();
    const box = theirs.getByRole('switch').first();
    await expect(box).toBeChecked();
    await box.click();
    await theirs.getByRole('main').getByRole('button').first().click();
    await expect(theirs.getByRole('status')).not.toBeEmpty();
    await expect(box).not.toBeChecked();
    await elsewhere.close();
  });

  await test.step('the customer page and a segment show it', async () => {
    await expect(place).toContainText(t('consent:state.withdrawn'));
    await expect.poll(() => count('withdrawn')).toBe(1);
    await expect.poll(() => count('given')).toBe(0);
  });

  await test.step('settings show the figures', async () => {
    await page.goto('/settings/consent?tab=figures');
    await expect(page.getByRole('cell', { name: t('consent:channel.email') }).first()).toBeVisible();
  });
});
