import { bestCustomer, settled } from './pages';
import { expect, test } from './support';

test('quality, what is bought together, and rules tried on a customer', async ({ page, t, api }) => {
  await expect
    .poll(async () => (await api.get<{ version: number }>('/recommend')).version, { timeout: 60_000 })
    .toBeGreaterThan(0);
  await page.goto('/recommend');
  await settled(page);
  const fresh = page.getByRole('region', { name: t('recommend:quality.task.new') }).last();
  await expect(fresh).toContainText(t('recommend:method.popular'));
  await expect(fresh).toContainText(t('recommend:quality.used'));
  await page.getByRole('tab', { name: t('recommend:tab.together') }).click();
  const rules = page.getByRole('region', { name: t('recommend:together.title') }).last();
  await rules.getByRole('row').nth(1).getByRole('link').last().click();
  await expect(page).toHaveURL(/o\/customer\?where=/);
  await settled(page);

  const customer = await bestCustomer(api);
  await page.goto('/recommend?tab=rules');
  await settled(page);
  await page.getByRole('combobox', { name: t('recommend:rules.customer') }).fill(customer.title);
  await page.getByRole('option', { name: customer.title }).first().click();
  const list = page.getByRole('list', { name: t('recommend:rules.preview') });
  await expect(list.getByRole('listitem').first()).toBeVisible();
});

test('preferences and recommendations of a customer, and of a product', async ({ page, t, api }) => {
  const customer = await bestCustomer(api);
  await page.goto(`/o/customer/${customer.id}?tab=recommend`);
  await settled(page);
  const lists = page.getByRole('region', { name: t('recommend:list.title') });
  await expect(lists.getByRole('listitem').first()).toBeVisible();
  await lists.getByRole('radio', { name: t('recommend:kind.buy_again') }).click({ force: true });
  await expect(lists.getByRole('list', { name: t('recommend:kind.buy_again') })).toBeVisible();
  await expect(page.getByRole('region', { name: t('recommend:bought.title') }).first()).toContainText(
    t('recommend:standing.occasional'),
  );
  const shown = await api.get<{ items: { product: { id: string } }[] }>(`/customers/${customer.id}/recommendations`);
  await page.goto(`/o/product/${shown.items[0]?.product.id}?tab=recommend`);
  await settled(page);
  await expect(
    page
      .getByRole('region', { name: t('recommend:product.similar') })
      .getByRole('listitem')
      .first(),
  ).toBeVisible();
});
