import { settled } from './pages';
import { expect, test } from './support';

test('how a figure goes on, for all and for one category', async ({ page, t }) => {
  await page.goto('/forecast');
  await settled(page);
  await expect(page.getByRole('region', { name: t('forecast:card.cover') })).toContainText('%');
  const methods = page.getByRole('region', { name: t('forecast:methods') });
  await expect(methods.getByText(t('forecast:isChosen'))).toBeVisible();
  await page.getByRole('button', { name: t('forecast:asTable') }).click();
  const table = page.getByRole('region', { name: t('forecast:asTable') });
  expect(await table.getByRole('row').count()).toBeGreaterThan(12);
  await page.goto('/forecast?figure=quantity&period=week&dimension=category');
  await settled(page);
  const category = page.getByRole('combobox', { name: t('forecast:dimension.category') });
  await category.click();
  await page.getByRole('option').nth(1).click();
  await expect(page).toHaveURL(/value=/);
  await settled(page);
  const slider = page.getByRole('slider');
  await slider.focus();
  await slider.press('Home');
  await slider.press('Enter');
  await expect(page).toHaveURL(/\/o\/order_line/);
  await settled(page);
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('why a figure changed, down to the orders', async ({ page, t }) => {
  await page.goto('/forecast?tab=why');
  await settled(page);
  await expect(page.getByRole('region', { name: t('forecast:figure.revenue') })).toBeVisible();
  const where = page.getByRole('region', { name: t('forecast:dimension.channel') });
  await page.getByRole('radio', { name: t('forecast:dimension.channel') }).check({ force: true });
  await expect(where.getByRole('link').first()).toBeVisible();
  await page.goto('/forecast?tab=why&figure=basket&first=channel&second=category');
  await settled(page);
  const pair = page.getByRole('region', {
    name: `${t('forecast:dimension.channel')} × ${t('forecast:dimension.category')}`,
  });
  expect(await pair.getByRole('row').count()).toBeGreaterThan(3);
  await page.goto('/forecast?tab=why&by=channel');
  await settled(page);
  await where.getByRole('link').first().click();
  await expect(page).toHaveURL(/\/o\/order\?/);
  await settled(page);
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a figure is watched', async ({ page, t, api }) => {
  const mark = `f${Date.now()}`;
  await api.post('/users', { email: `${mark}@example.com`, name: mark, role: 'manager', password: `${mark}-Aa1!` });
  await page.goto('/forecast?period=week&figure=orders');
  await settled(page);
  await page.getByRole('button', { name: t('forecast:watch.start') }).click();
  await page.getByRole('link', { name: t('forecast:watch.isOn') }).click();
  await expect(page).toHaveURL(/tab=watch/);
  await settled(page);
  await expect(page.getByRole('slider')).toBeVisible();
  const told = page.getByRole('combobox', { name: new RegExp(t('forecast:watch.told', { name: '.*' })) });
  await told.click();
  await page.getByRole('option', { name: mark }).click();
  await page.keyboard.press('Escape');
  await expect
    .poll(async () => (await api.get<{ items: { told: unknown[] }[] }>('/forecast/watches')).items[0]?.told.length)
    .toBe(1);
  await page.getByRole('button', { name: t('forecast:watch.stop') }).click();
  await expect(page.getByText(t('forecast:watch.none.title'))).toBeVisible();
});
