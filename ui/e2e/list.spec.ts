import { settled } from './pages';
import {
  type Api,
  base64url,
  condition,
  deleteView,
  expect,
  type Locator,
  type Page,
  test,
  type Words,
} from './support';

const gridOf = (page: Page): Locator => page.getByRole('grid');
/** The row at a place: 0 is the first record. */
const rowAt = (page: Page, at: number): Locator => page.locator(`[role=row][aria-rowindex="${at + 2}"]`);
const nameIn = (row: Locator): Locator => row.getByRole('link');
const names = (page: Page): Locator => gridOf(page).getByRole('link');

async function openList(page: Page, address = '/o/customer'): Promise<void> {
  await page.goto(address);
  await settled(page);
  await expect(nameIn(rowAt(page, 0))).toBeVisible();
}

const total = (page: Page, text: string): Locator => page.getByText(text, { exact: true });

/** What the list says of everybody: other tests of the same company add to it. */
async function everybody(page: Page, api: Api, t: Words): Promise<Locator> {
  const { count } = await api.post<{ count: number }>('/records/customer/count', {});
  return total(page, t('records:foot.total', { count, text: count.toLocaleString('en') }));
}

interface TraitInfo {
  key: string;
  label: Record<string, string>;
}
async function traitName(api: Api, key: string): Promise<string> {
  const { items } = await api.get<{ items: TraitInfo[] }>('/traits');
  return items.find((trait) => trait.key === key)?.label['zh-CN'] ?? key;
}

test('any number of rows, few elements', async ({ page, t, api }) => {
  const { count } = await api.post<{ count: number }>('/records/customer/count', {});
  expect(count).toBeGreaterThanOrEqual(3000);
  await openList(page);
  await expect(await everybody(page, api, t)).toBeVisible();
  const elements = () => gridOf(page).evaluate((grid) => grid.querySelectorAll('*').length);
  expect(await elements()).toBeLessThan(1500);
  const first = await nameIn(rowAt(page, 0)).textContent();

  await gridOf(page).hover();
  await page.mouse.wheel(0, 60_000);
  const middle = rowAt(page, 1680);
  await expect(nameIn(middle), 'rows far down are read when they come into sight').toBeVisible();
  expect(await elements()).toBeLessThan(1500);

  await gridOf(page).focus();
  await page.keyboard.press('End');
  await expect(nameIn(rowAt(page, count - 1))).toBeVisible();
  await expect(rowAt(page, count)).toHaveCount(0);
  await page.keyboard.press('Home');
  await expect(nameIn(rowAt(page, 0))).toHaveText(first ?? '');
  expect(await elements()).toBeLessThan(1500);
});

test('search by a short name, by pinyin, by the end of a phone number', async ({ page, t, api }) => {
  const some = await api.find('customer', { fields: ['name', 'phone'], limit: 200 });
  const short = some.find((record) => /^\p{Script=Han}{2}$/u.test(record.title));
  const reachable = some.find((record) => typeof record.fields.phone === 'string');
  if (short === undefined || reachable === undefined) throw new Error('the demo company changed');
  await openList(page);
  const search = page.getByRole('searchbox', { name: t('records:filter.search') });
  const shown = async (query: string, wanted: RegExp) => {
    await search.fill(query);
    await expect(page).toHaveURL(new RegExp(`q=(%22)?${encodeURIComponent(query)}`));
    await expect(names(page).first()).toHaveText(wanted);
    await expect.poll(async () => (await names(page).allTextContents()).every((name) => wanted.test(name))).toBe(true);
  };
  await test.step('two characters', () => shown(short.title, new RegExp(short.title)));
  await test.step('pinyin', () => shown('ouyang', /欧阳/));
  await test.step('four digits', async () => {
    await search.fill(String(reachable.fields.phone).slice(-4));
    await expect(names(page).getByText(reachable.title, { exact: true })).toBeVisible();
    expect(await names(page).count()).toBeLessThan(20);
  });
  await search.press('Escape');
  await expect(page).not.toHaveURL(/q=/);
  await expect(await everybody(page, api, t)).toBeVisible();
});

test('a filter from the builder is a sentence, an address, and the same list after a reload', async ({
  page,
  t,
  api,
}) => {
  const orders = await traitName(api, 'orders');
  const where = { trait: 'orders', op: '>=', value: 5 };
  const { count } = await api.post<{ count: number }>('/records/customer/count', { where });
  const shown = count.toLocaleString('en');
  await openList(page);
  await page.getByRole('button', { name: t('records:filter.title') }).click();
  const drawer = page.getByRole('dialog', { name: t('records:filter.title') });
  await condition(drawer, t, orders, t('fields:op.gte'), '5');
  await expect(drawer.getByText(`${orders} ≥ 5`), 'the condition in words').toBeVisible();
  await expect(drawer.getByText(t('records:filter.matching', { text: shown }))).toBeVisible();
  await drawer.getByRole('button', { name: t('records:filter.apply') }).click();

  const chip = page.getByRole('button', { name: `${orders} ≥ 5`, exact: true });
  await expect(chip).toBeVisible();
  await expect(total(page, t('records:foot.total', { count, text: shown }))).toBeVisible();
  await expect(page).toHaveURL(/where=/);
  await page.reload();
  await expect(chip).toBeVisible();
  await expect(total(page, t('records:foot.total', { count, text: shown }))).toBeVisible();
  await page.getByRole('button', { name: t('records:filter.remove', { text: `${orders} ≥ 5` }) }).click();
  await expect(await everybody(page, api, t)).toBeVisible();
});

test('sorting by a trait', async ({ page, api }) => {
  const spend = await traitName(api, 'spend_total');
  const best = await api.find('customer', { sort: [{ trait: 'spend_total', desc: true }], limit: 3 });
  await openList(page);
  const header = page.getByRole('columnheader', { name: spend });
  await header.getByRole('button').click();
  await expect(header).toHaveAttribute('aria-sort', 'descending');
  for (const [at, record] of best.entries()) await expect(nameIn(rowAt(page, at))).toHaveText(record.title);
  await header.getByRole('button').click();
  await expect(header).toHaveAttribute('aria-sort', 'ascending');
  await expect(nameIn(rowAt(page, 0))).not.toHaveText(best[0]?.title ?? '');
  await page.reload();
  await expect(header, 'the address keeps the order').toHaveAttribute('aria-sort', 'ascending');
});

test('columns are chosen, kept as a view, and the view is deleted', async ({ page, t }) => {
  await openList(page);
  const column = (name: string) => page.getByRole('columnheader', { name, exact: true });
  await test.step('choose', async () => {
    await expect(column('地区')).toBeVisible();
    await page.getByRole('button', { name: t('records:columns.title'), exact: true }).click();
    await page.getByRole('button', { name: t('records:columns.hide', { name: '地区' }) }).click();
    await page.getByRole('searchbox', { name: t('records:columns.search') }).fill('外部');
    await page.getByRole('checkbox', { name: '外部编号' }).check();
    await page.keyboard.press('Escape');
    await expect(column('地区')).toHaveCount(0);
    await expect(column('外部编号')).toBeVisible();
  });
  const tabs = page.getByRole('navigation', { name: t('views:view.label') });
  const tab = tabs.getByRole('button', { name: '外部编号清单', exact: true });
  await test.step('save', async () => {
    await page.getByRole('button', { name: t('views:view.saveAs') }).click();
    const dialog = page.getByRole('dialog', { name: t('views:view.createTitle') });
    await dialog.getByLabel(t('views:view.name')).fill('外部编号清单');
    await dialog.getByRole('button', { name: t('common:save') }).click();
    await expect(tab).toHaveAttribute('aria-current', 'true');
    await page.reload();
    await expect(column('外部编号'), 'the view brings its columns').toBeVisible();
    await expect(tab).toHaveAttribute('aria-current', 'true');
  });
  await test.step('delete', async () => {
    await deleteView(page, t, '外部编号清单');
    await expect(column('地区')).toBeVisible();
  });
});

test('the grid by keys', async ({ page }) => {
  await openList(page);
  const grid = gridOf(page);
  const active = () => grid.getAttribute('aria-activedescendant');
  await page.getByRole('columnheader', { name: '地区' }).waitFor();
  await grid.focus();
  await page.keyboard.press('ArrowDown');
  const first = await active();
  expect(first).toMatch(/-r\d+-c0$/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await expect.poll(active).not.toBe(first);
  await expect(page.locator(`[id="${await active()}"]`)).toBeVisible();

  await page.keyboard.press('Home');
  await page.keyboard.press('x');
  await expect(rowAt(page, 0)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await expect(rowAt(page, 2), 'Shift stretches the selection').toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Escape');
  await expect(rowAt(page, 0)).toHaveAttribute('aria-selected', 'false');

  await page.keyboard.press('Home');
  await page.keyboard.press('Control+ArrowLeft');
  const name = (await nameIn(rowAt(page, 0)).textContent()) ?? '';
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/o\/customer\/cus_/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
});

test('a record is looked at beside the list, and opened', async ({ page, t }) => {
  await openList(page, `/o/customer?where=${base64url({ trait: 'orders', op: '>=', value: 3 })}`);
  const chips = page.url();
  const name = (await nameIn(rowAt(page, 1)).textContent()) ?? '';
  await nameIn(rowAt(page, 1)).click();
  const panel = page.getByRole('complementary', { name: t('shell:peek.label') });
  await expect(panel.getByText(name, { exact: true })).toBeVisible();
  await expect(gridOf(page), 'the list stays').toBeVisible();
  await expect(page).toHaveURL(/peek=/);
  await page.reload();
  await expect(panel.getByText(name, { exact: true }), 'the address keeps the panel').toBeVisible();
  await panel.getByRole('button', { name: t('shell:peek.open') }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await page.goBack();
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
  await expect(page).toHaveURL(chips);
});

test('nothing found offers the way back', async ({ page, t }) => {
  await openList(page);
  await page.getByRole('searchbox', { name: t('records:filter.search') }).fill('zzzz不存在');
  await expect(page.getByRole('heading', { name: t('common:empty.no_match.title') })).toBeVisible();
  await page.getByRole('button', { name: t('records:filter.clear') }).click();
  await expect(nameIn(rowAt(page, 0))).toBeVisible();
});
