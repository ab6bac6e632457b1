import { settled } from './pages';
import { allPages } from './routes';
import { expect, type Page, test } from './support';

const MOST = 90;

interface Reached {
  tag: string;
  name: string;
  main: boolean;
  primary: boolean;
  visible: boolean;
}

/** What has the focus, and whether one sees it. */
const focused = (page: Page): Promise<Reached | null> =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return null;
    // Inputs show it on the frame around them; a grid and a list of options on the row they point at.
    const shown = (candidate: Element | null): boolean => {
      if (candidate === null) return false;
      const style = getComputedStyle(candidate);
      return (
        (style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none'
      );
    };
    const pointed = element.getAttribute('aria-activedescendant');
    const input = element.matches('input, textarea, select, [role="grid"], [role="combobox"]');
    const bordered = input && getComputedStyle(element).borderStyle !== 'none';
    return {
      tag: element.tagName,
      name: (element.ariaLabel ?? element.textContent ?? '').trim().slice(0, 40),
      main: element.closest('#main') !== null,
      primary: element.matches('button[data-kind="primary"], a[data-kind="primary"]'),
      visible:
        shown(element) ||
        shown(element.parentElement) ||
        bordered ||
        pointed !== null ||
        element.id === 'main' ||
        shown(element.nextElementSibling) ||
        shown(element.closest('.mantine-Input-input')),
    };
  });

test('the main action of each page is reached by keyboard, and one sees where one is', async ({ page, api }) => {
  test.setTimeout(300_000);
  for (const stop of await allPages(api, true))
    await test.step(stop.name, async () => {
      await page.goto(stop.path);
      await settled(page);
      const wanted = await page.locator('#main :is(button, a)[data-kind="primary"]:visible:enabled').count();
      // A form has the focus in its first input already: from the top again.
      await page.locator('a[href="#main"]').focus();
      await page.keyboard.press('Enter');
      expect.soft((await focused(page))?.main, `${stop.name}: the skip link leads to the content`).toBe(true);
      const reached = new Set<string>();
      const unseen: string[] = [];
      let stops = 0;
      for (let step = 0; step < MOST; step++) {
        await page.keyboard.press('Tab');
        const now = await focused(page);
        if (now === null || !now.main) break;
        stops++;
        if (!now.visible) unseen.push(`${now.tag} ${now.name}`);
        if (now.primary) reached.add(now.name);
        if (reached.size >= wanted && stops > 12) break;
      }
      expect.soft(stops, `${stop.name}: something can be reached`).toBeGreaterThan(0);
      if (wanted > 0) expect.soft(reached.size, `${stop.name}: the main action is reached`).toBeGreaterThan(0);
      expect.soft(unseen, `${stop.name}: the focus is seen`).toEqual([]);
    });
});

test('a dialog keeps the focus and gives it back', async ({ page, t }) => {
  await page.goto('/day');
  await settled(page);
  const button = page.getByRole('button', { name: t('mine:feed.title') });
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  for (let step = 0; step < 8; step++) {
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.closest('[role="dialog"]') !== null)).toBe(true);
  }
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(button).toBeFocused();
});
