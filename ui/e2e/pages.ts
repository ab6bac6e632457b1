import fs from 'node:fs';
import path from 'node:path';
import { type Api, expect, type Page, type RecordData, test } from './support';

/** A page has come to rest: it has a heading, and nothing says that it is still loading. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1').first()).toBeVisible();
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
}

/** Everything that scrolls as a page does: the document, and the page's own body. Grids and tables scroll by themselves. */
export async function sidewaysOverflow(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const elements = [document.documentElement, ...document.querySelectorAll('#main, #main > *, #main > * > *')];
    return elements
      .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
      .filter((element) => getComputedStyle(element).overflowX !== 'visible')
      .map((element) => `${element.tagName} ${element.id}: ${element.scrollWidth} in ${element.clientWidth}`);
  });
}

/** A picture for people: the whole page where it scrolls, the screen where a grid does. */
export async function shoot(page: Page, name: string): Promise<void> {
  const info = test.info();
  const kept = process.env.GUANXI_SHOTS;
  const file =
    kept === undefined
      ? info.outputPath(`${name}.png`)
      : path.join(path.resolve(kept), `${info.project.name}-${name}.png`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const size = page.viewportSize();
  const wanted = await page.evaluate(() => {
    let most = innerHeight;
    for (const element of document.querySelectorAll('#main *'))
      if (getComputedStyle(element).overflowY === 'auto' && element.role !== 'grid' && element.clientHeight > 300)
        most = Math.max(most, innerHeight + element.scrollHeight - element.clientHeight);
    return Math.min(most, 4000);
  });
  const taller = size !== null && wanted > size.height;
  if (taller) await page.setViewportSize({ ...size, height: wanted });
  await page.screenshot({ path: file, animations: 'disabled' });
  if (taller) await page.setViewportSize(size);
}

export interface Stop {
  name: string;
  path: string;
}

/** A segment for the pages that need one. */
export async function someSegment(api: Api): Promise<string> {
  const { items } = await api.get<{ items: { key: string }[] }>('/segments');
  const known = items.find((segment) => segment.key === 'tour');
  if (known !== undefined) return known.key;
  const where = { all: [{ trait: 'orders', op: '>=', value: 3 }] };
  await api.post('/segments', { key: 'tour', label: '三次以上购买', description: '', kind: 'dynamic', where });
  return 'tour';
}

const SETTINGS = [
  'profile',
  'security',
  'users',
  'sso',
  'apikeys',
  'objects',
  'objects/customer',
  'rfm',
  'audit',
  'signins',
  'system',
];

/** The customer with the most purchases: every part of the page has something to show. */
export async function bestCustomer(api: Api): Promise<RecordData> {
  const [found] = await api.find('customer', { sort: [{ trait: 'orders', desc: true }], limit: 1 });
  if (found === undefined) throw new Error('no customers');
  return found;
}

/** Pages that the navigation does not name itself: those of one record, one segment, one classification, settings. */
export async function furtherPages(api: Api): Promise<Stop[]> {
  const [customer, segment] = await Promise.all([bestCustomer(api), someSegment(api)]);
  const one = async (object: string) => (await api.find(object, { limit: 1 }))[0]?.id ?? 'missing';
  const [order, product, store] = await Promise.all([one('order'), one('product'), one('store')]);
  return [
    { name: 'customer-page', path: `/o/customer/${customer.id}` },
    { name: 'customer-traits', path: `/o/customer/${customer.id}?tab=traits` },
    { name: 'customer-peek', path: `/o/customer?peek=customer:${customer.id}` },
    { name: 'customer-new', path: '/o/customer?new=true' },
    { name: 'order-page', path: `/o/order/${order}` },
    { name: 'product-page', path: `/o/product/${product}` },
    { name: 'store-page', path: `/o/store/${store}` },
    { name: 'segment', path: `/segments/${segment}` },
    { name: 'segment-edit', path: `/segments/${segment}?tab=edit` },
    { name: 'segment-new', path: '/segments/new' },
    { name: 'classification', path: '/classifications/lifecycle' },
    { name: 'import-new', path: '/imports/new' },
    ...SETTINGS.map((page) => ({ name: `settings-${page.replace('/', '-')}`, path: `/settings/${page}` })),
  ];
}
