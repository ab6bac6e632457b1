import { settled } from './pages';
import { expect, test } from './support';

test('contents and what was done with them, down to the people', async ({ page, t }) => {
  await page.goto('/interactions?days=180');
  await settled(page);
  const rate = page.getByRole('region', { name: t('interactions:term.rate') });
  await expect(rate).toContainText('%');
  const kinds = page.getByRole('region', { name: t('interactions:by.kind') });
  await kinds.getByRole('button').first().click();
  await expect(page).toHaveURL(/kind=/);
  await settled(page);
  await expect(kinds.getByRole('row')).toHaveCount(2);
  const best = page.getByRole('region', { name: t('interactions:best') });
  const first = best.getByRole('row').nth(1);
  const title = await first.getByRole('link').first().textContent();
  await first.getByRole('link', { name: t('interactions:showPeople', { name: title ?? '' }) }).click();
  await expect(page).toHaveURL(/segments\/new/);
  const estimate = page.getByRole('complementary', { name: t('segments:estimate') });
  await expect(estimate.getByText('Content Liked').first()).toBeVisible();
  await page.goBack();
  const leave = page.getByRole('dialog', { name: t('segments:leave.title') });
  await leave.getByRole('button', { name: t('segments:leave.confirm') }).click();
  await best
    .getByRole('link', { name: title ?? '', exact: true })
    .first()
    .click();
  await expect(page.getByRole('list', { name: t('interactions:term.interactions') })).toBeVisible();
});
