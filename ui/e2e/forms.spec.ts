import { expectAccessible } from './axe';
import { expect, test, toast } from './support';

test('a form is written and published; a visitor without a script fills it in; what was sent is read', async ({
  faults,
  page,
  browser,
  t,
  api,
  baseURL,
}) => {
  faults.allow(/^request: 422 POST \/api\/v1\/forms/);
  const stamp = Date.now();
  const name = `会员表单${stamp}`;
  const who = `访客${stamp}`;
  const policy = await api.get<{ wordings: { purpose: string }[] }>('/consents/policy');
  if (!policy.wordings.some((one) => one.purpose === 'marketing'))
    await api.post('/consents/wordings', {
      purpose: 'marketing',
      text: { 'zh-CN': '我同意接收新品与优惠消息', en: 'I agree to news and offers' },
    });
  const visitor = await browser.newContext({
    storageState: { cookies: [], origins: [] },
    locale: 'zh-CN',
    javaScriptEnabled: false,
    viewport: { width: 390, height: 780 },
  });
  let address = '';
  try {
    await test.step('write and publish it', async () => {
      await page.goto('/forms');
      await page
        .getByRole('link', { name: t('forms:add') })
        .first()
        .click();
      await page.getByRole('button', { name: t('common:save') }).click();
      await expect(page.getByText(/^请填写标题/), 'what is missing is said at its field').toBeVisible();
      await page.getByRole('textbox', { name: t('forms:name'), exact: true }).fill(name);
      await page.getByRole('textbox', { name: t('forms:words.title') }).fill('加入会员');
      await page.getByRole('combobox', { name: t('forms:addField') }).click();
      await page.getByRole('option', { name: '性别' }).click();
      await page.getByRole('combobox', { name: t('forms:addConsent') }).click();
      await page.getByRole('option', { name: '营销' }).click();
      await expect(page.getByText(/^生效文本/)).toBeVisible();
      await page.getByRole('button', { name: t('common:save') }).click();
      await expect(toast(page, name)).toBeVisible();
      await page.getByRole('tab', { name: t('forms:tabs.codes') }).click();
      await page.getByRole('button', { name: t('forms:addCode') }).click();
      await page.getByRole('textbox', { name: t('forms:code.name') }).fill('门口海报');
      await page.getByRole('textbox', { name: t('forms:code.source') }).fill('store');
      await page.getByRole('button', { name: t('common:save') }).click();
      await expect(page.getByRole('img', { name: t('forms:square', { name: '门口海报' }) })).toBeVisible();
      await page.getByRole('button', { name: t('forms:begin') }).click();
      await expect(page.getByText(t('forms:statuses.active')).first()).toBeVisible();
    });
    const { items } = await api.get<{
      items: { name: string; address: string; plan: { codes: { key: string }[] } }[];
    }>('/forms');
    const made = items.find((one) => one.name === name);
    address = `${baseURL}${new URL(made?.address ?? '').pathname}?c=${made?.plan.codes[0]?.key}`;
    await test.step('a visitor with a phone and no script', async () => {
      const visit = await visitor.newPage();
      await visit.goto(address);
      await visit.getByLabel(/^名称/).fill(who);
      await visit.getByLabel(/^手机/).fill('12');
      await visit.getByLabel('性别').selectOption({ label: '女' });
      await visit.getByRole('checkbox', { name: /同意/ }).check();
      await visit.waitForTimeout(2100);
      await visit.getByRole('button', { name: '提交' }).click();
      await expect(visit.getByLabel(/^手机/)).toHaveAttribute('aria-invalid', 'true');
      await expect(visit.getByLabel(/^名称/), 'what was written stays').toHaveValue(who);
      await visit.getByLabel(/^手机/).fill(`139${String(stamp).slice(-8)}`);
      await visit.getByRole('button', { name: '提交' }).click();
      await expect(visit.getByRole('status')).toHaveText('已收到，谢谢！');
      const wide = await visit.locator('html').evaluate((html) => html.scrollWidth > html.clientWidth);
      expect(wide, 'nothing is wider than a phone').toBe(false);
    });
    await test.step('its page is for everybody', async () => {
      const open = await browser.newContext({ storageState: { cookies: [], origins: [] }, colorScheme: 'dark' });
      const visit = await open.newPage();
      await visit.goto(address);
      await expectAccessible(visit, 'the public form');
      await open.close();
    });
    await test.step('what was sent', async () => {
      await page.goto('/forms');
      await page.getByRole('link', { name }).click();
      await page
        .getByRole('region', { name: t('forms:sums.made') })
        .getByRole('button', { name: '1' })
        .click();
      await expect(page).toHaveURL(/state=made/);
      await expect(page.getByRole('row', { name: who }).getByText('门口海报')).toBeVisible();
    });
    await test.step('what winning a customer cost', async () => {
      await page.goto('/forms?tab=sources');
      await page.getByRole('combobox', { name: t('forms:cost.what') }).click();
      await page.getByRole('option', { name }).click();
      await page.getByRole('textbox', { name: t('forms:code.source') }).fill('store');
      await page.getByRole('textbox', { name: t('forms:cost.amount') }).fill('12.5');
      await page.getByRole('button', { name: t('forms:cost.save'), exact: true }).click();
      const row = page.getByRole('region', { name: t('forms:cost.ofForms') }).getByRole('row', { name });
      await expect(row.getByRole('cell', { name: /12\.50/ })).toHaveCount(2);
      await row.getByRole('link', { name: '1' }).click();
      await expect(page.getByRole('row', { name: who })).toBeVisible();
    });
  } finally {
    const { items } = await api.get<{ items: { id: string; name: string; version: number; plan: unknown }[] }>(
      '/forms',
    );
    for (const { id, version, plan } of items.filter((one) => one.name === name))
      await api.json('PATCH', `/forms/${id}`, { name, plan, status: 'ended', version });
    await visitor.close();
  }
});
