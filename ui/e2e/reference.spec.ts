import { expectAccessible } from './axe';
import { settled } from './pages';
import { expect, test } from './support';

test('the API reference shows the objects of the workspace, is searched, and gives a command', async ({ page, t }) => {
  await page.goto('/settings/reference');
  await settled(page);
  const customers = page.getByRole('button', { name: /客户|Customer/ }).first();
  await expect(customers).toBeVisible();
  await page.getByRole('searchbox', { name: t('reference:search') }).fill('/records/customer/{id}');
  const change = page.getByRole('button', { name: /PATCH.*\/records\/customer\/\{id\}/ });
  await change.click();
  await expect(change).toHaveAttribute('aria-expanded', 'true');
  await expect(page).toHaveURL(/op=patchRecordsObjectId_customer/);
  await page
    .getByRole('button', { name: /fields$/ })
    .first()
    .click();
  await expect(page.getByText('do_not_contact', { exact: true }).first()).toBeVisible();
  await expect(page.getByText(/curl -X PATCH/)).toContainText('If-Match');
  await expectAccessible(page, 'the API reference');

  await page.reload();
  await settled(page);
  await expect(page.getByRole('button', { name: /PATCH.*\/records\/customer\/\{id\}/ })).toBeInViewport();
  await expect(page.getByText(/curl -X PATCH/)).toBeVisible();
  await page.getByRole('searchbox', { name: t('reference:search') }).fill('no such operation');
  await expect(page.getByText(t('common:empty.no_match.title'))).toBeVisible();
});
