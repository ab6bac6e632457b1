import { settled } from './pages';
import { expect, test } from './support';

test('stages, who moved, one stage, and another set of stages on trial', async ({ page, t, api }) => {
  await page.goto('/lifecycle');
  await settled(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(t('lifecycle:title'));
  const stages = page.getByRole('region', { name: t('lifecycle:stages') });
  const active = stages.getByRole('row').filter({ hasText: '活跃' });
  const { count } = await api.post<{ count: number }>('/segments/count', {
    where: { trait: 'lifecycle', op: '=', value: 'active' },
  });
  await expect(active).toContainText(count.toLocaleString('en'));

  await test.step('a figure of the matrix opens its people', async () => {
    const matrix = page.getByRole('region', { name: t('lifecycle:matrix') });
    const cell = matrix.getByRole('row', { name: '首购' }).getByRole('button', { disabled: false }).first();
    const shown = Number((await cell.textContent())?.replaceAll(',', ''));
    await cell.click();
    const drawer = page.getByRole('dialog');
    await expect(drawer.getByRole('status')).toHaveText(
      t('lifecycle:peopleCount', { count: shown, shown: shown.toLocaleString('en') }),
    );
    await expect(drawer.getByRole('listitem').first().getByRole('link')).toHaveAttribute('href', /\/o\/customer\/cus_/);
    await page.keyboard.press('Escape');
  });
  await test.step('cohorts by source', async () => {
    await page.getByText(t('lifecycle:by.source'), { exact: true }).click();
    await expect(page).toHaveURL(/by=source/);
    await settled(page);
  });
  await test.step('the page of a stage', async () => {
    await active.getByRole('link', { name: '活跃' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('活跃');
    await expect(page.getByRole('img', { name: t('lifecycle:curve') })).toBeVisible();
    await page
      .getByRole('link', { name: t('lifecycle:title') })
      .last()
      .click();
  });
  await test.step('another set of stages says who would move', async () => {
    await page.getByRole('button', { name: t('lifecycle:templates') }).click();
    const five = page.getByRole('dialog').getByRole('region', { name: '五阶段模型' });
    await five.getByRole('button', { name: t('lifecycle:preview') }).click();
    await expect(five.getByRole('button', { name: t('lifecycle:install') })).toBeEnabled();
    await expect(five).toContainText('成熟期');
  });
});

test('a suggested cut becomes a draft that says who would move', async ({ page, t }) => {
  await page.goto('/classifications/frequency_class');
  await settled(page);
  const cuts = page.getByRole('region', { name: t('classifications:cuts.title') });
  await cuts
    .getByRole('button', { name: t('classifications:cuts.draft') })
    .first()
    .click();
  const moving = page.getByRole('region', { name: t('classifications:moving.title') });
  await moving.getByRole('button', { disabled: false }).first().click();
  await expect(page.getByRole('dialog').getByRole('listitem').first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('region', { name: t('classifications:quality.title') })).toContainText(/\d/);
});
