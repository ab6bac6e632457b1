import { settled } from './pages';
import { expect, test } from './support';

test('value to come, profit and moves, down to the customers', async ({ page, t }) => {
  await page.goto('/value');
  await settled(page);
  const tenths = page.getByRole('region', { name: t('value:tenths') });
  await expect(tenths.getByRole('row')).not.toHaveCount(0);
  await tenths.getByRole('link').first().click();
  await expect(page).toHaveURL(/o\/customer\?where=/);
  await page.goto('/value?tab=profit');
  await settled(page);
  const fall = page.getByRole('list', { name: t('value:profit.title') });
  await expect(fall.getByText(t('value:part.profit'), { exact: true })).toBeVisible();
  // What nothing records is said, and is no 0.
  await expect(fall.getByText(t('value:notRecorded'))).not.toHaveCount(0);
  await page.getByRole('tab', { name: t('value:tab.moves') }).click();
  await settled(page);
  await page
    .getByRole('region', { name: t('value:moves.title') })
    .getByRole('button')
    .first()
    .click();
  const people = page.getByRole('dialog');
  await expect(people.getByRole('link').first()).toBeVisible();
});
