import { expectAccessible } from './axe';
import { nameIn, startComputed } from './fields';
import { settled } from './pages';
import { type Api, expect, pick, test, toast } from './support';

const SHOP = {
  'zh-CN': { object: '改衣', items: '工序', double: '双倍工费', count: '工序数', price: '工费' },
  en: { object: 'Alteration', items: 'Step', double: 'Twice the fee', count: 'Steps', price: 'Fee' },
};

/** An object with a number, and another one whose records point at it. */
async function objects(api: Api, words: (typeof SHOP)['en'], suffix: string): Promise<[string, string]> {
  const [object, child] = [`alter_${suffix}`, `step_${suffix}`];
  const made = (path: string, body: unknown) => api.post(path, body);
  await made('/objects', { key: object, label: { 'zh-CN': words.object, en: words.object } });
  await made(`/objects/${object}/fields`, {
    key: 'fee',
    type: 'number',
    label: { 'zh-CN': words.price, en: words.price },
  });
  await made('/objects', { key: child, label: { 'zh-CN': words.items, en: words.items } });
  await made(`/objects/${child}/fields`, {
    key: 'of',
    type: 'relation',
    target: object,
    label: { 'zh-CN': words.object, en: words.object },
  });
  for (const [name, fee] of [
    ['A', 30],
    ['B', 10],
    ['C', 20],
  ] as const)
    await made(`/records/${object}`, { fields: { name, fee } });
  return [object, child];
}

test('a formula and a rollup are made, shown, filtered and sorted by', async ({ page, t, api, faults, locale }) => {
  faults.allow(/422 POST \/api\/v1\/records/);
  test.setTimeout(90_000);
  const words = SHOP[locale?.startsWith('zh') ? 'zh-CN' : 'en'];
  const [object, child] = await objects(api, words, locale?.startsWith('zh') ? 'zh' : 'en');
  await page.goto(`/settings/objects/${object}`);
  await settled(page);

  await test.step('a formula, completed, corrected and tried on records', async () => {
    const panel = await startComputed(page, t, 'formula', words.double, locale);
    const text = panel.getByRole('textbox', { name: t('formula:formula.name'), exact: true });
    await text.pressSequentially('fe');
    await expect(panel.getByRole('option', { name: words.price })).toBeVisible();
    await text.press('Enter');
    await expect(text).toHaveValue('fee');
    await text.pressSequentially(' * tow');
    await expect(panel.locator('mark')).toHaveText('tow');
    await expect(text).toHaveAttribute('aria-invalid', 'true');
    await text.fill('fee * 2');
    await expect(panel.getByRole('region', { name: t('formula:preview') })).toContainText('60');
    await expectAccessible(page, 'the panel of a formula');
    await panel.getByRole('button', { name: t('shape:field.add'), exact: true }).click();
    await expect(toast(page, t('shape:field.added', { name: words.double }))).toBeVisible();
  });
  await test.step('a rollup that counts', async () => {
    const panel = await startComputed(page, t, 'rollup', words.count, locale);
    await pick(panel, t('formula:rollup.of'), words.items);
    await panel.getByRole('button', { name: t('shape:field.add'), exact: true }).click();
    await expect(toast(page, t('shape:field.added', { name: words.count }))).toBeVisible();
    const a = (await api.find(object)).find((each) => each.title === 'A');
    for (const name of ['1', '2']) await api.create(child, { name, of: a?.id });
  });
  const grid = page.getByRole('grid');
  await test.step('both stand in the list, which is sorted and filtered by them', async () => {
    const row = (title: string) => grid.getByRole('row').filter({ has: page.getByText(title, { exact: true }) });
    await expect(async () => {
      await page.goto(`/o/${object}`);
      await settled(page);
      await expect(row('A')).toContainText('602', { timeout: 2000 });
    }).toPass({ timeout: 30_000 });
    const header = page.getByRole('columnheader', { name: words.double });
    await header.getByRole('button').first().click();
    await expect(header).toHaveAttribute('aria-sort', /ascending|descending/);
    const falling = (await header.getAttribute('aria-sort')) === 'descending';
    await expect(grid.getByRole('row').nth(1)).toContainText(falling ? 'A' : 'B');
    await page.getByRole('button', { name: t('records:filter.title') }).click();
    const drawer = page.getByRole('dialog', { name: t('records:filter.title') });
    await drawer.getByRole('button', { name: t('conditions:pick.choose') }).click();
    await page.getByRole('textbox', { name: t('conditions:pick.search') }).fill(words.double);
    await page.getByRole('option', { name: words.double, exact: true }).click();
    await drawer.getByRole('textbox', { name: words.double }).fill('60');
    await drawer.getByRole('button', { name: t('records:filter.apply') }).click();
    await expect(page).toHaveURL(/where=/);
    await expect(row('A')).toBeVisible();
    await expect(row('B')).toHaveCount(0);
  });
  await test.step('a validation rule stops the form with its message', async () => {
    await page.goto(`/settings/objects/${object}`);
    await settled(page);
    await page.getByRole('tab', { name: new RegExp(t('formula:rule.tab')) }).click();
    await page.getByRole('button', { name: t('formula:rule.add') }).click();
    await page.getByRole('textbox', { name: t('formula:rule.when') }).fill('fee > 100');
    await page.getByRole('textbox', { name: nameIn(t, 'formula:rule.message', locale), exact: true }).fill('Too much');
    await pick(page, t('formula:rule.field'), words.price);
    await page.getByRole('button', { name: t('common:save'), exact: true }).click();
    await expect(toast(page, t('common:saved'))).toBeVisible();
    await expectAccessible(page, 'the rules of an object');
    await page.goto(`/o/${object}`);
    await settled(page);
    await page
      .locator('header')
      .getByRole('button', { name: t('records:list.new') })
      .click();
    const form = page.getByRole('dialog', { name: t('records:form.title', { name: words.object }) });
    await form.getByRole('textbox', { name: /^(名称|Name)/ }).fill('D');
    const fee = form.getByRole('textbox', { name: words.price });
    await fee.fill('500');
    await expect(fee).toHaveAccessibleDescription(/Too much/);
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(form).toBeVisible();
    await fee.fill('50');
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(form).toHaveCount(0);
  });
  for (const key of [child, object]) await api.call('DELETE', `/objects/${key}`);
});
