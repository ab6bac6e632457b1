import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { bestCustomer, settled } from './pages';
import { expect, test } from './support';

/** Kilobytes, gzipped, of all code and styles that a first visit may fetch; scripts/budget.mjs holds the same parts. */
const LIMIT = 210;

test('a first visit of a list and of a record stays light', async ({ browser, baseURL, storageState, api }) => {
  const customer = await bestCustomer(api);
  for (const address of ['/', '/o/customer', '/o/order', `/o/customer/${customer.id}`]) {
    const context = await browser.newContext({ baseURL, storageState });
    const page = await context.newPage();
    const sizes = new Map<string, Promise<number>>();
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (['.js', '.css'].includes(path.extname(pathname)))
        sizes.set(
          pathname,
          response.body().then((body) => gzipSync(body, { level: 9 }).length),
        );
    });
    await page.goto(address);
    await settled(page);
    await page.waitForLoadState('networkidle');
    const total = (await Promise.all(sizes.values())).reduce((sum, size) => sum + size, 0) / 1024;
    expect(sizes.size).toBeGreaterThan(10);
    expect.soft(total, `${address} in kB`).toBeLessThan(LIMIT);
    await context.close();
  }
});
