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

test('a refusal by the key of a page waits for somebody who knows', async ({ page, t, api, request, baseURL }) => {
  const mark = `v${Date.now()}`;
  const customer = await api.post<RecordData>('/records/customer', { fields: { name: mark, external_id: mark } });
  const source = async (type: string) =>
    (await api.post<{ write_key: string }>('/event-sources', { name: `${mark} ${type}`, type })).write_key;
  const send = async (key: string, path: string, data: object) => {
    const headers = { Authorization: `Basic ${btoa(`${key}:`)}`, 'User-Agent': agent };
    expect((await request.post(`${baseURL}/v1/${path}`, { headers, data: { userId: mark, ...data } })).status()).toBe(
      200,
    );
  };
  const agent = (await page.evaluate(() => navigator.userAgent)).replace('Headless', ''); // no robot
  await send(await source('server'), 'identify', {});
  const context = {
    consent: { categoryPreferences: { Advertising: false } },
    page: { url: 'https://shop.example.com/prefs' },
  };
  await send(await source('web'), 'track', { event: 'Product Viewed', context });
  await page.goto(`/o/customer/${customer.id}?tab=consent`);
  const card = page.getByRole('region', { name: t('consent:claims.title') });
  await expect(card).toContainText('shop.example.com/prefs', { timeout: 30_000 });
  await page.goto('/settings/consent?tab=claims');
  const row = page.getByRole('listitem').filter({ hasText: mark });
  await row.getByRole('link', { name: mark }).click();
  await card.getByRole('button', { name: t('consent:claims.accept') }).click();
  await expect(toast(page, t('consent:claims.accepted'))).toBeVisible();
  await expect(card).toHaveCount(0);
  await expect(page.locator('[data-place="marketing.web"]')).toContainText(t('consent:state.withdrawn'));
});

test('consents come in from a file: looked over, written once, what is refused is named', async ({ page, t, api }) => {
  const mark = `w${Date.now()}`;
  const customer = await api.post<RecordData>('/records/customer', { fields: { name: mark, external_id: mark } });
  const rows = [
    '会员号,用途,渠道,是否同意,时间',
    `${mark},营销,短信,是,2026-03-01`,
    `${mark},营销,电话,否,2026/3/2 08:30`,
    'nobody,营销,短信,是,2026-03-01',
  ];
  await page.goto('/settings/consent?tab=import');
  await page.locator('input[type=file]').setInputFiles({
    name: 'said.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(rows.join('\n')),
  });
  const outcome = page.getByRole('status').filter({ hasText: t('consent:import.read') });
  await page.getByRole('button', { name: t('consent:import.check') }).click();
  await expect(page.getByRole('heading', { name: t('consent:import.checking.done') })).toBeVisible();
  await expect(outcome.getByRole('row')).toHaveCount(2); // the head, and one reason
  await page.getByRole('button', { name: t('consent:import.begin'), exact: true }).click();
  await expect(page.getByRole('heading', { name: t('consent:import.writing.done') })).toBeVisible();
  await page.getByRole('button', { name: t('consent:import.begin'), exact: true }).click();
  await expect(outcome).toContainText(new RegExp(`${t('consent:import.fresh')}\\s*0`));
  await page.goto(`/o/customer/${customer.id}?tab=consent`);
  await expect(page.locator('[data-place="marketing.sms"]')).toContainText(t('consent:state.given'));
  await expect(page.locator('[data-place="marketing.phone"]')).toContainText(t('consent:state.withdrawn'));
});
