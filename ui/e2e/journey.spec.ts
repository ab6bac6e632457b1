import { expect, test } from './support';

test('a win-back journey is drawn, published and watched', async ({ page, t, api }) => {
  const mark = Date.now().toString(36);
  const customers = await api.find('customer', { limit: 8 });
  const list = await api.post<{ segment: { key: string; label: string } }>('/segments/list', {
    label: `沉睡 ${mark}`,
    field: 'id',
    values: customers.map((each) => each.id),
  });
  await page.goto('/journeys/new');
  await page.getByLabel(t('journeys:name'), { exact: true }).fill(`召回 ${mark}`);
  const canvas = page.getByRole('region', { name: t('journeys:canvas') });
  // What is missing is said while one draws.
  await expect(canvas.getByRole('listitem').filter({ hasText: '人群' }).first()).toBeVisible();
  await canvas.getByRole('button', { name: t('journeys:trigger.segment_entered') }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('combobox', { name: t('journeys:trig.kind') }).click();
  await page.getByRole('option', { name: t('journeys:trigger.api') }).click();
  await drawer.getByRole('button', { name: t('journeys:done') }).click();
  const put = async (kind: 'task' | 'wait' | 'split' | 'tag', at = 0) => {
    await canvas
      .getByRole('button', { name: t('journeys:insert') })
      .nth(at)
      .click();
    await page.getByRole('menuitem', { name: t(`journeys:kind.${kind}`) }).click();
  };
  await put('task');
  await drawer.getByLabel(t('journeys:form.title')).fill(`打电话 ${mark}`);
  await drawer.getByRole('button', { name: t('journeys:done') }).click();
  await put('split');
  await drawer.getByRole('button', { name: t('journeys:done') }).click();
  await put('wait', 1);
  await drawer.getByRole('combobox', { name: t('journeys:wait.mode') }).click();
  await page.getByRole('option', { name: t('journeys:wait.purchase') }).click();
  await drawer.getByRole('button', { name: t('journeys:done') }).click();
  await expect(page.getByText(t('journeys:noProblems'))).toBeVisible();
  await page.getByRole('button', { name: t('journeys:publish'), exact: true }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('journeys:publish'), exact: true })
    .click();
  await expect(page).toHaveURL(/\/journeys\/jrn_/);
  await expect(page.getByText(t('journeys:statuses.live'))).toBeVisible();
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  const let8 = await api.post<{ entered: number }>(`/journeys/${id}/enter`, {
    customers: customers.map((each) => each.id),
    key: list.segment.key,
  });
  expect(let8.entered).toBe(8);
  // Half of them wait, the others went on; both are counted at the steps.
  await expect(
    canvas
      .getByText(t('journeys:count.passed', { count: 2, shown: '8' }))
      .or(canvas.getByText('人通过').first())
      .first(),
  ).toBeVisible({ timeout: 15_000 });
  await canvas
    .getByRole('button', { name: /人等待/ })
    .first()
    .click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.goto('/journeys');
  await expect(page.getByRole('link', { name: `召回 ${mark}` })).toBeVisible();
  await page.getByRole('tab', { name: t('journeys:plays') }).click();
  await expect(page.getByRole('region', { name: '流失召回' })).toBeVisible();
});
