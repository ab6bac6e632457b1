import { openShop } from './shop-server';
import { expect, test, toast } from './support';

/** Robots are counted apart, and a driven browser says that it is one. */
const PERSON =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const PORT = Number(process.env.GUANXI_E2E_PORT ?? 8311) + 6;

test('a pop-up is written, shown on a shop of another origin, followed and counted', async ({
  faults,
  page,
  browser,
  t,
  api,
  baseURL,
}) => {
  faults.allow(/^request: 422 POST \/api\/v1\/onsite-messages/);
  const stamp = Date.now();
  const name = `春装弹窗${stamp}`;
  const source = await api.post<{ id: string; write_key: string }>('/event-sources', {
    name: `商店${stamp}`,
    type: 'web',
  });
  const shop = await openShop(baseURL ?? '', source.write_key, PORT);
  const context = await browser.newContext({
    storageState: { cookies: [], origins: [] },
    locale: 'zh-CN',
    userAgent: PERSON,
  });
  await context.addInitScript(() => Object.defineProperty(navigator, 'webdriver', { get: () => false }));
  const visit = await context.newPage();
  const popup = visit.getByRole('dialog', { name: '春装上新' });
  try {
    await test.step('write it and see what it looks like', async () => {
      await page.goto('/onsite');
      await page
        .getByRole('link', { name: t('onsite:add') })
        .first()
        .click();
      await page.getByRole('button', { name: t('common:save') }).click();
      await expect(page.getByText(/^请填写标题/), 'what is missing is said at its field').toBeVisible();
      await page.getByRole('textbox', { name: t('onsite:name') }).fill(name);
      await page.getByRole('textbox', { name: t('onsite:words.title'), exact: true }).fill('春装上新');
      await page.getByRole('textbox', { name: t('onsite:words.text'), exact: true }).fill('全场八折');
      await page.getByRole('textbox', { name: t('onsite:words.button') }).fill('去看看');
      await page.getByRole('textbox', { name: t('onsite:words.url') }).fill('/product.html');
      await page.getByRole('textbox', { name: t('onsite:after.load') }).fill('0');
      await expect(page.getByRole('figure').getByRole('heading', { name: '春装上新' })).toBeVisible();
      await page.getByRole('button', { name: t('common:save') }).click();
      await expect(toast(page, name)).toBeVisible();
      await page.getByRole('button', { name: t('onsite:begin') }).click();
      await expect(page.getByText(t('onsite:statuses.active')).first()).toBeVisible();
    });
    await test.step('a visitor closes it, and once more follows it', async () => {
      await visit.goto(`${shop.url}/index.html`);
      await expect(popup).toBeVisible();
      await expect(popup.getByText('全场八折')).toBeVisible();
      await visit.keyboard.press('Escape');
      await expect(popup).toBeHidden();
      await visit.goto('about:blank');
      await visit.goto(`${shop.url}/index.html`);
      await popup.getByRole('link', { name: '去看看' }).click();
      await expect(visit).toHaveURL(/product\.html$/);
      await expect(popup, 'not on every page').toBeHidden();
    });
    await test.step('what became of it', async () => {
      await expect
        .poll(async () => {
          const { items } = await api.get<{
            items: { name: string; viewed: number; clicked: number; dismissed: number }[];
          }>('/onsite-messages');
          const found = items.find((each) => each.name === name);
          return [found?.viewed, found?.clicked, found?.dismissed];
        })
        .toEqual([2, 1, 1]);
      await page.goto('/onsite');
      await expect(page.getByRole('row', { name }).getByText('100%')).toBeVisible();
    });
  } finally {
    const { items } = await api.get<{ items: { id: string; name: string; version: number; plan: unknown }[] }>(
      '/onsite-messages',
    );
    for (const { id, version, plan } of items.filter((each) => each.name === name))
      await api.json('PATCH', `/onsite-messages/${id}`, { name, plan, status: 'ended', version });
    await context.close();
    await shop.close();
  }
});
