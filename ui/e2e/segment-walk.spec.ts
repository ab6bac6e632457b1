import type { Locator, Page } from '@playwright/test';
import { settled } from './pages';
import { expect, pick, test, toast, type Words } from './support';

/** Chooses what the empty row asks about. */
async function subject(page: Page, t: Words, search: string, option: string | RegExp): Promise<void> {
  await page.getByRole('button', { name: t('conditions:pick.choose') }).click();
  await page.getByRole('textbox', { name: t('conditions:pick.search') }).fill(search);
  await page.getByRole('option', { name: option }).first().click();
}
const add = (page: Page, t: Words): Promise<void> =>
  page
    .getByRole('button', { name: t('conditions:addCondition') })
    .first()
    .click();
const last = (page: Page, t: Words, role: 'combobox' | 'textbox', key: string): Locator =>
  page.getByRole(role, { name: t(key) }).last();

test('a marketer asks who is worth a call: five conditions, counted row by row, saved', async ({
  page,
  t,
  api,
  locale,
}) => {
  test.skip(locale?.startsWith('zh') !== true, 'in Chinese');
  await page.goto('/segments/new');
  await settled(page);
  await page.getByRole('textbox', { name: t('segments:name') }).fill('好久不来的女客人');
  await test.step('women', async () => {
    await subject(page, t, '性别', /^性别/);
    await page
      .getByRole('textbox', { name: '性别' })
      .or(page.getByRole('combobox', { name: '性别' }))
      .last()
      .click();
    await page.getByRole('option', { name: '女', exact: true }).click();
    await page.keyboard.press('Escape');
  });
  await test.step('two orders in 180 days', async () => {
    await add(page, t);
    await subject(page, t, '订单', /^订单/);
    await last(page, t, 'textbox', 'conditions:value').fill('2');
    await pick(page, t('conditions:window.label'), t('conditions:window.lastDays', { count: 180 }));
  });
  await test.step('no visit to a shop in 30 days', async () => {
    await add(page, t);
    await subject(page, t, t('conditions:kind.event'), t('conditions:kind.event'));
    const event = last(page, t, 'combobox', 'behaviour:event');
    await event.click();
    await event.fill('Store Visited');
    await page
      .getByRole('option', { name: /Store Visited/ })
      .first()
      .click();
    await last(page, t, 'combobox', 'conditions:aggregate.label').click();
    await page.getByRole('option', { name: t('behaviour:measure.none'), exact: true }).click();
  });
  await test.step('among the highest fifth by spend', async () => {
    await add(page, t);
    await subject(page, t, t('conditions:kind.top'), t('conditions:kind.top'));
    await last(page, t, 'combobox', 'conditions:top.measure').click();
    await page.getByRole('option', { name: '%', exact: true }).click();
    await expect(last(page, t, 'textbox', 'conditions:top.count')).toHaveValue('20');
  });
  const estimate = page.getByRole('complementary', { name: t('segments:estimate') });
  await expect(estimate.getByText('最高的前 20%')).toBeVisible();
  await expect(page.getByText(/^[\d,]+ 人$/), 'every row and their group').toHaveCount(5);
  await page.getByRole('button', { name: t('segments:save') }).click();
  await expect(page).toHaveURL(/\/segments\/(?!new)/);
  const key = page.url().split('/').pop()?.split('?')[0] ?? '';
  const saved = await api.get<{ size: number; where: { all: unknown[] } }>(`/segments/${key}`);
  expect(saved.where.all).toHaveLength(4);
  await expect(
    page.locator('section', { has: page.getByRole('heading', { name: t('segments:uses.title') }) }),
  ).toContainText('性别');

  await test.step('in what they differ, and who is like them', async () => {
    await page.goto(`/segments/compare?keys=${key},demo_browsers`);
    await expect(page.getByRole('heading', { name: t('segments:contrast.title') })).toBeVisible();
    await page.goto(`/segments/${key}`);
    await page.getByRole('button', { name: t('segments:actions'), exact: true }).click();
    await page.getByRole('menuitem', { name: t('segments:similar.menu') }).click();
    const dialog = page.getByRole('dialog');
    await expect(
      dialog.getByText(t('segments:similar.why')).or(dialog.getByText(t('segments:similar.few'))),
    ).toBeVisible();
    await page.keyboard.press('Escape');
  });
  await test.step('into the bin and back', async () => {
    await page.getByRole('button', { name: t('segments:actions'), exact: true }).click();
    await page.getByRole('menuitem', { name: t('common:delete') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('common:delete') })
      .click();
    await expect(page).toHaveURL(/\/segments$/);
    await page.getByRole('button', { name: t('segments:actions'), exact: true }).click();
    await page.getByRole('menuitem', { name: t('segments:bin.title') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('segments:bin.restore') })
      .first()
      .click();
    await expect(toast(page, t('segments:bin.restored', { name: '好久不来的女客人' }))).toBeVisible();
  });
});
