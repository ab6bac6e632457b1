import { expectAccessible } from './axe';
import { settled } from './pages';
import { allPages, patterns, unknownPages } from './routes';
import { expect, test } from './support';

/** The states of pages that have no address of their own in the router. */
const STATES = ['/o/customer?new=true', '/segments/tour?tab=edit', '/day?view=week', '/day?view=month'];

test('every page has an address to look at', async ({ api }) => {
  expect(patterns().length, 'the table of routes was read').toBeGreaterThanOrEqual(40);
  expect(await unknownPages(api), 'a new page has an address').toEqual([]);
  const pages = await allPages(api);
  expect(pages.filter((page) => page.path.includes('missing') || page.path.includes('$'))).toEqual([]);
});

// One project is light and Chinese, the other dark and English: between them every page is looked at in both.
test('nothing serious on any page', async ({ page, api }) => {
  test.setTimeout(400_000);
  const states = STATES.map((path) => ({ name: path, path }));
  for (const stop of [...(await allPages(api)), ...states])
    await test.step(stop.name, async () => {
      await page.goto(stop.path);
      await settled(page);
      await expectAccessible(page, stop.name);
    });
});

test('nothing serious in what opens over a page', async ({ page, t }) => {
  test.setTimeout(120_000);
  await page.goto('/o/customer');
  await settled(page);
  await test.step('palette', async () => {
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('dialog')).toBeVisible();
    await expectAccessible(page, 'the palette');
    await page.keyboard.press('Escape');
  });
  await test.step('filter', async () => {
    await page.getByRole('button', { name: t('records:filter.title') }).click();
    await expect(page.getByRole('button', { name: t('conditions:pick.choose') })).toBeVisible();
    await expectAccessible(page, 'the filter');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });
  await test.step('columns', async () => {
    await page.getByRole('button', { name: t('records:columns.title'), exact: true }).click();
    await expect(page.getByRole('searchbox', { name: t('records:columns.search') })).toBeVisible();
    await expectAccessible(page, 'the column chooser');
    await page.keyboard.press('Escape');
  });
  await test.step('selection', async () => {
    await page.getByRole('checkbox', { name: t('records:select.loaded') }).click();
    await expect(page.getByRole('region', { name: t('records:bulk.label') })).toBeVisible();
    await expectAccessible(page, 'the bulk bar');
  });
  await test.step('shortcuts', async () => {
    await page.goto('/');
    await settled(page);
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: t('shell:shortcuts.title') })).toBeVisible();
    await expectAccessible(page, 'the shortcuts');
  });
});

test.describe('signed out', () => {
  test.use({ storageState: { cookies: [], origins: [] } });
  test('nothing serious on the sign-in', async ({ page, t, faults }) => {
    faults.allow(/401 GET \/api\/v1\/me/);
    await page.goto('/');
    await expect(page.getByRole('heading', { name: t('auth:signIn.title') })).toBeVisible();
    await expectAccessible(page, 'the sign-in');
  });
});
