import { furtherPages, settled, shoot, sidewaysOverflow } from './pages';
import { expect, type Page, test } from './support';

const nameOf = (href: string): string => (href === '/' ? 'home' : href.replace(/^\/(o\/)?/, '').replaceAll('/', '-'));

async function lookAround(page: Page, name: string): Promise<void> {
  await settled(page);
  await expect.soft(page.locator('h1'), `${name} has one heading`).not.toHaveText('');
  await expect.soft(page, `${name} names the tab`).toHaveTitle(/Guanxi/);
  await expect.soft(page.getByRole('alert'), `${name} has no alarm`).toHaveCount(0);
  expect.soft(await sidewaysOverflow(page), `${name} does not scroll sideways`).toEqual([]);
  await shoot(page, name);
}

test('every page of the navigation', async ({ page, t, api, isMobile }) => {
  test.setTimeout(180_000);
  await page.goto('/');
  await settled(page);
  const more = page
    .getByRole('navigation', { name: t('shell:navLabel') })
    .getByRole('button', { name: t('shell:more') });
  const nav = isMobile
    ? page.getByRole('dialog').getByRole('navigation', { name: t('shell:navLabel') })
    : page.getByRole('navigation', { name: t('shell:navLabel') });
  if (isMobile) await more.click();
  // The parts of the product, and the objects that other tests have made.
  const { items } = await api.get<{ items: { standard: boolean; hidden: boolean }[] }>('/objects');
  await expect(nav.getByRole('link')).toHaveCount(40 + items.filter((each) => !each.standard && !each.hidden).length);
  const links = await nav.getByRole('link').evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
  for (const href of links) {
    await test.step(href, async () => {
      if (isMobile && !(await nav.isVisible())) await more.click();
      await nav.locator(`a[href="${href}"]`).click();
      await expect(page).toHaveURL(new RegExp(`${href === '/' ? '/' : href}(/profile)?(\\?.*)?$`));
      if (isMobile) await expect(nav).toBeHidden();
      else await expect.soft(nav.locator(`a[href="${href}"]`)).toHaveAttribute('aria-current', 'page');
      await lookAround(page, nameOf(href));
    });
  }
});

test('the pages behind them', async ({ page, api }) => {
  test.setTimeout(240_000);
  for (const stop of await furtherPages(api))
    await test.step(stop.name, async () => {
      await page.goto(stop.path);
      await lookAround(page, stop.name);
    });
});
