import { settled } from './pages';
import { expect, test } from './support';

test('groups that were found, and a classification of them', async ({ page, t, api }) => {
  await expect
    .poll(async () => (await api.get<{ groups: unknown[] }>('/clusters')).groups.length, { timeout: 45_000 })
    .toBeGreaterThan(1);
  await page.goto('/clusters');
  await settled(page);
  const first = page.getByRole('article', { name: t('clusters:group', { number: 1 }) });
  await expect(first.getByRole('img').last()).toBeVisible();
  await expect(first.getByRole('listitem').first()).toBeVisible();
  await page.getByRole('button', { name: t('clusters:toClasses') }).click();
  const dialog = page.getByRole('dialog', { name: t('clusters:toClasses') });
  await dialog.getByRole('button', { name: t('clusters:save.make') }).click();
  await expect(page).toHaveURL(/classifications\/groups/);
  await settled(page);
  await page.goto('/clusters');
  await settled(page);
  await first.getByRole('link').first().click();
  await expect(page).toHaveURL(/\/o\/customer/);
  await settled(page);
  await expect(page.getByRole('alert')).toHaveCount(0);
});
