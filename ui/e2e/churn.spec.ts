import { settled } from './pages';
import { expect, test } from './support';

test('who is leaving, what counts as lost, and a rule that makes tasks', async ({ page, t }) => {
  await page.goto('/churn');
  await settled(page);
  const risks = page.getByRole('region', { name: t('churn:risks') });
  await expect(risks.getByRole('link')).toHaveCount(10);
  const whys = page.getByRole('region', { name: t('churn:whys.title') });
  await expect(whys.getByRole('row').nth(1).getByRole('link').first()).toBeVisible();
  await risks.getByRole('link').last().click();
  await expect(page).toHaveURL(/o\/customer\?where=/);

  await page.goto('/churn?tab=definition');
  await settled(page);
  await expect(page.getByText(t('churn:definition.model'))).toBeVisible();
  await page.getByRole('radio').last().click();
  await expect(page.getByRole('button', { name: t('churn:definition.save') })).toBeEnabled();

  await page.goto('/churn?tab=survival');
  await settled(page);
  await expect(page.getByText(t('churn:after12'))).toBeVisible();

  await page.goto('/churn?tab=rules');
  await settled(page);
  const name = `回访 ${Date.now()}`;
  await page.getByRole('button', { name: t('churn:rule.new') }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(t('churn:rule.name')).fill(name);
  await dialog.getByRole('combobox', { name: t('churn:rule.standIn') }).click();
  await page.getByRole('option').first().click();
  await dialog.getByRole('button', { name: t('churn:rule.preview') }).click();
  await expect(dialog.getByRole('status')).toBeVisible();
  await dialog.getByRole('button', { name: t('common:save') }).click();
  const rule = page.getByRole('region', { name });
  await expect(rule).toBeVisible();
  await rule.getByRole('button', { name: t('common:delete') }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('common:delete') })
    .click();
  await expect(rule).toHaveCount(0);
});
