import { bestCustomer, settled } from './pages';
import { expect, test } from './support';

test('an offer is written, begins, its codes are issued, redeemed by a checkout and taken back', async ({
  page,
  t,
  api,
  faults,
}) => {
  faults.allow(/422 POST \/api\/v1\/offers$/);
  const name = `满减 ${Date.now().toString(36)}`;
  await page.goto('/offers');
  await page
    .getByRole('link', { name: t('offers:add') })
    .first()
    .click();
  await settled(page);
  // What is wrong is said at its place.
  await page.getByRole('button', { name: t('common:save') }).click();
  await expect(page.getByRole('textbox', { name: t('offers:name'), exact: true })).toHaveAttribute(
    'aria-invalid',
    'true',
  );
  await page.getByRole('textbox', { name: t('offers:name'), exact: true }).fill(name);
  await page.getByLabel(t('offers:rule.percent')).fill('20');
  await page.getByLabel(t('offers:rule.minimum')).fill('100');
  await page.getByRole('button', { name: t('common:save') }).click();
  await expect(page).toHaveURL(/\/offers\/ofr_/);
  await page.getByRole('button', { name: t('offers:begin') }).click();
  await expect(page.getByText(t('offers:statuses.active'), { exact: true })).toBeVisible();
  const offer = page.url().match(/ofr_[0-9A-Z]+/)?.[0] ?? '';

  await page.getByRole('button', { name: t('offers:issue.title') }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(t('offers:issue.count')).fill('2');
  await dialog.getByRole('button', { name: t('offers:issue.go') }).click();
  await expect(dialog.getByText(t('offers:issue.made', { count: 2 }))).toBeVisible();
  await dialog
    .getByRole('button', { name: t('common:close') })
    .last()
    .click();
  const rows = page.getByRole('region', { name: t('offers:codes') }).getByRole('row');
  await expect(rows).toHaveCount(3);

  // A checkout redeems one; the page says so.
  const customer = await bestCustomer(api);
  const code = (await rows.nth(1).getByRole('cell').first().textContent())?.trim() ?? '';
  const cart = { cart: name, customer: customer.id, codes: [code], lines: [{ amount: 20_000 }] };
  await api.post('/offers/reserve', cart);
  await api.post('/offers/redeem', { cart: name, order: `A-${name}` });
  await page.goto(`/offers/${offer}?tab=codes`);
  await expect(rows.filter({ hasText: code })).toContainText(t('offers:states.redeemed'));
  await rows
    .filter({ hasText: t('offers:states.issued') })
    .getByRole('button', { name: t('offers:revoke.do') })
    .click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('offers:revoke.do') })
    .click();
  await expect(rows.filter({ hasText: t('offers:states.revoked') })).toHaveCount(1);
  await page.getByRole('tab', { name: t('offers:tabs.came') }).click();
  await expect(page.getByRole('region', { name: t('offers:came.discount') })).toContainText('40');
  await page.getByRole('tab', { name: t('offers:ledger') }).click();
  await expect(page.getByText(`A-${name}`)).toBeVisible();

  await page.goto(`/o/customer/${customer.id}?tab=coupons`);
  await settled(page);
  await page.getByRole('combobox', { name: t('offers:give.title') }).click();
  await page.getByRole('option', { name }).click();
  await page.getByRole('button', { name: t('offers:give.do') }).click();
  await expect(page.getByRole('region', { name: t('offers:codes') }).getByText(name)).toBeVisible();
});
