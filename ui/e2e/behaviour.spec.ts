import { settled } from './pages';
import { expect, test, toast } from './support';

test('what people did: an event nobody sent yet, in words and in numbers', async ({ page, t, api }) => {
  const { total } = await api.post<{ total: number }>('/segments/count', { where: { field: 'name', op: 'is_set' } });
  await page.goto('/segments/new');
  await settled(page);
  await page.getByRole('button', { name: t('conditions:pick.choose') }).click();
  await page.getByRole('option', { name: t('conditions:kind.event') }).click();
  const event = page.getByRole('combobox', { name: t('behaviour:event') });
  await event.click();
  await event.fill('Brochure Opened');
  await page.getByRole('option', { name: t('behaviour:useTyped', { name: 'Brochure Opened' }) }).click();
  await expect(page.getByText(t('behaviour:neverSeen'))).toBeVisible();
  await page.getByRole('combobox', { name: t('conditions:aggregate.label') }).click();
  await page.getByRole('option', { name: t('behaviour:measure.none'), exact: true }).click();
  const estimate = page.getByRole('complementary', { name: t('segments:estimate') });
  await expect(estimate.getByText(total.toLocaleString('en'), { exact: true }), 'nobody did').toBeVisible();
  await expect(estimate.getByText('Brochure Opened')).toBeVisible();
});

test('a trait of our own: previewed, saved, in the list, deleted', async ({ page, t, api, locale }) => {
  const chinese = locale?.startsWith('zh') === true;
  const name = chinese ? '下单天数' : 'Order days';
  const key = chinese ? 'order_days_zh' : 'order_days_en';
  await page.goto('/settings/traits');
  await settled(page);
  await page
    .getByRole('link', { name: t('traits:add') })
    .first()
    .click();
  await page.getByRole('textbox', { name: t('traits:zh') }).fill(name);
  await page.getByRole('textbox', { name: t('traits:en') }).fill(name);
  await page.getByRole('textbox', { name: t('traits:key') }).fill(key);
  await page.getByRole('combobox', { name: t('traits:kindLabel') }).click();
  await page.getByRole('option', { name: t('traits:kind.days'), exact: true }).click();
  await page.getByRole('combobox', { name: t('behaviour:lifecycle.of') }).click();
  await page.getByRole('option', { name: chinese ? '订单' : 'Order', exact: true }).click();
  await expect(page.getByRole('term').filter({ hasText: t('traits:preview.high') })).toBeVisible();
  await page.getByRole('button', { name: t('common:save') }).click();
  await expect(toast(page, t('traits:saved'))).toBeVisible();
  await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
  await expect
    .poll(
      async () =>
        (await api.post<{ count: number }>('/segments/count', { where: { trait: key, op: '>', value: 0 } })).count,
    )
    .toBeGreaterThan(0);
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('button', { name: t('traits:delete.confirm') }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('traits:delete.confirm') })
    .click();
  await expect(toast(page, t('traits:deleted'))).toBeVisible();
});
