import { settled, sidewaysOverflow } from './pages';
import { allPages } from './routes';
import { expect, type Page, test } from './support';

const FINGER = 44;
const SLACK = 0.5;

/** Controls that a finger does not find: lower than a finger is wide, counting what reaches around them. */
const tooSmall = (page: Page): Promise<string[]> =>
  page.evaluate(
    ({ least }) => {
      const found = new Set<string>();
      const high = (element: Element | null): number => element?.getBoundingClientRect().height ?? 0;
      const heightOf = (element: HTMLElement): number => {
        const around = getComputedStyle(element, '::after');
        const reach =
          around.content !== 'none' && around.position === 'absolute' ? Number.parseFloat(around.height) : 0;
        // The words of a sign are pressed as well, and so is the frame around an input.
        const words = 'labels' in element ? [...((element as HTMLInputElement).labels ?? [])] : [];
        const frame = element.closest('.mantine-Input-wrapper, .mantine-PillsInput-root');
        return Math.max(high(element), reach || 0, high(frame), ...words.map(high));
      };
      const controls = 'button, a[href], input, select, [role="tab"], [role="switch"], summary';
      for (const element of document.querySelectorAll<HTMLElement>(controls)) {
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element);
        // Beyond the upper edge: the link that skips to the content, until it has the focus.
        if (
          box.width === 0 ||
          box.bottom <= 0 ||
          style.visibility === 'hidden' ||
          element.matches(':disabled, [type="hidden"], .sr-only')
        )
          continue;
        // A link within a sentence is as high as its line.
        if (style.display === 'inline' && element.tagName === 'A') continue;
        if (heightOf(element) < least)
          found.add(
            `${element.tagName} "${(element.ariaLabel ?? element.textContent ?? '').trim().slice(0, 24)}" ${Math.round(heightOf(element))}`,
          );
      }
      return [...found];
    },
    { least: FINGER - SLACK },
  );

for (const size of [
  { width: 390, height: 844 },
  { width: 360, height: 740 },
])
  test(`every page fits a phone of ${size.width}`, async ({ page, api }) => {
    test.setTimeout(240_000);
    await page.setViewportSize(size);
    for (const stop of await allPages(api))
      await test.step(stop.name, async () => {
        await page.goto(stop.path);
        await settled(page);
        expect.soft(await sidewaysOverflow(page), `${stop.name} does not scroll sideways`).toEqual([]);
        expect.soft(await tooSmall(page), `${stop.name}: a finger finds everything`).toEqual([]);
      });
  });
