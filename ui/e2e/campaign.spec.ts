import { expect, test } from './support';

test('a template, a campaign and its dry run', async ({ page, t, api, faults }) => {
  // The browser says so of the test's own looking into the sandboxed preview.
  faults.allow(/Blocked script execution/);
  const mark = Date.now().toString(36);
  await page.goto('/templates');
  await page
    .getByRole('link', { name: t('campaigns:templates.add') })
    .first()
    .click();
  await page.getByLabel(t('campaigns:name'), { exact: true }).fill(`春季 ${mark}`);
  await page.getByLabel(t('campaigns:templates.subject')).fill('{{ customer.name }}，春季上新');
  const first = page.getByRole('region', {
    name: t('campaigns:block.named', { kind: t('campaigns:block.heading'), number: 1 }),
  });
  await first.getByRole('textbox').fill('春装到店');
  const second = page.getByRole('region', {
    name: t('campaigns:block.named', { kind: t('campaigns:block.text'), number: 2 }),
  });
  await second.getByRole('textbox').fill('**{{ customer.nothing }}** 欢迎');
  // A field that nobody knows is named while one types, and refused.
  await expect(page.getByRole('list', { name: t('campaigns:templates.findings') })).toContainText('customer.nothing');
  await second.getByRole('textbox').fill('**{{ customer.occupation | default: "朋友" }}** 欢迎');
  await page.getByRole('button', { name: t('campaigns:block.add', { kind: t('campaigns:block.button') }) }).click();
  const third = page.getByRole('region', {
    name: t('campaigns:block.named', { kind: t('campaigns:block.button'), number: 3 }),
  });
  await third.getByLabel(t('campaigns:block.words')).fill('去看看');
  await third.getByLabel(t('campaigns:block.url')).fill('https://shop.example/new');
  const mail = page.frameLocator(`iframe[title="${t('campaigns:templates.preview')}"]`);
  await expect(mail.getByText('朋友')).toBeVisible();
  await expect(mail.getByRole('link', { name: '去看看' })).toHaveAttribute('href', 'https://shop.example/new');
  await page.getByRole('button', { name: t('common:save') }).click();
  await expect(page).toHaveURL(/\/templates\/tpl_/);

  const customers = await api.find('customer', { limit: 20 });
  const list = await api.post<{ segment: { key: string; label: string } }>('/segments/list', {
    label: `名单 ${mark}`,
    field: 'id',
    values: customers.map((each) => each.id),
  });
  await page.goto('/campaigns/new');
  await page.getByLabel(t('campaigns:name'), { exact: true }).fill(`活动 ${mark}`);
  await page.getByRole('combobox', { name: t('campaigns:segments'), exact: true }).fill(mark);
  await page.getByRole('option', { name: list.segment.label }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('combobox', { name: t('campaigns:template'), exact: true }).click();
  await page.getByRole('option', { name: `春季 ${mark}` }).click();
  await page.getByRole('button', { name: t('campaigns:try'), exact: true }).click();
  const rows = page.getByRole('region', { name: t('campaigns:trial') }).getByRole('row');
  await expect(rows.last()).toContainText('20');
  // The gates and whoever is reached sum to the audience.
  const counts = await rows.locator('td:nth-child(2)').allTextContents();
  const numbers = counts.map((each) => Number(each.replace(/\D/g, '')));
  expect(numbers.slice(0, -1).reduce((sum, each) => sum + each, 0)).toBe(numbers.at(-1));
  await page.goto('/campaigns');
  await expect(page.getByRole('link', { name: `活动 ${mark}` })).toBeVisible();
  await page.getByRole('tab', { name: t('campaigns:rules.title') }).click();
  await expect(page.getByLabel(t('campaigns:rules.share'))).toBeVisible();
});
