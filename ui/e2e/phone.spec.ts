import { bestCustomer, settled, sidewaysOverflow } from './pages';
import { condition, expect, test } from './support';

test('the bar at the lower edge', async ({ page, t }) => {
  await page.goto('/');
  await settled(page);
  const bar = page.getByRole('navigation', { name: t('shell:navLabel') });
  for (const [key, address] of [
    ['customer', '/o/customer'],
    ['day', '/day'],
    ['order', '/o/order'],
    ['home', '/'],
  ] as const) {
    await bar.getByRole('link', { name: t(`shell:nav.${key}`) }).click();
    await expect(page).toHaveURL(new RegExp(`${address}$`));
    await expect(bar.getByRole('link', { name: t(`shell:nav.${key}`) })).toHaveAttribute('aria-current', 'page');
    const box = await bar.getByRole('link', { name: t(`shell:nav.${key}`) }).boundingBox();
    expect(box?.height, 'a finger finds it').toBeGreaterThanOrEqual(44);
  }
  await bar.getByRole('button', { name: t('shell:more') }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('link', { name: t('shell:nav.imports') }).click();
  await expect(drawer).toHaveCount(0);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(t('imports:title'));
});

test('customers are cards; one opens its page', async ({ page, t }) => {
  await page.goto('/o/customer');
  const cards = page.getByRole('main').locator('a[href^="/o/customer/"]');
  await expect(cards.first()).toBeVisible();
  await expect(page.getByRole('grid')).toHaveCount(0);
  await test.step('more come while scrolling', async () => {
    await expect(cards).toHaveCount(50);
    await cards.last().scrollIntoViewIfNeeded();
    await expect.poll(() => cards.count()).toBeGreaterThan(50);
  });
  await test.step('search', async () => {
    await page.getByRole('searchbox', { name: t('records:filter.search') }).fill('ouyang');
    await expect(cards.first()).toContainText('欧阳');
  });
  const name = ((await cards.first().textContent()) ?? '').match(/欧阳\p{Script=Han}{1,2}/u)?.[0] ?? '';
  await cards.first().click();
  await expect(page).toHaveURL(/\/o\/customer\/cus_/);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name.slice(0, 3));
  await page.goBack();
  await expect(page).toHaveURL(/q=ouyang/);
  await expect(cards.first()).toContainText('欧阳');
});

test('cards are chosen by a long press or by the button, and worked on together', async ({ page, t }) => {
  await page.goto('/o/customer');
  const card = page.getByRole('main').locator('a[href^="/o/customer/"]').nth(1);
  await expect(card).toBeVisible();
  const box = await card.boundingBox();
  const touch = await page.context().newCDPSession(page);
  const finger = { x: (box?.x ?? 0) + 90, y: (box?.y ?? 0) + 30 };
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [finger] });
  const chosen = page.getByRole('checkbox', { checked: true });
  await expect(chosen).toHaveCount(1);
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await expect(page, 'holding is not opening').toHaveURL(/\/o\/customer$/);
  const bulk = page.getByRole('region', { name: t('records:bulk.label') });
  await expect(bulk.getByText(t('records:bulk.selected', { text: 1 }))).toBeVisible();
  await page.getByRole('checkbox', { checked: false }).nth(3).tap();
  await expect(chosen).toHaveCount(2);
  await expect(bulk.getByRole('button', { name: t('records:bulk.tag') })).toBeInViewport({ ratio: 1 });
  await expect(bulk.getByRole('button', { name: t('common:delete') })).toBeInViewport({ ratio: 1 });
  expect(await sidewaysOverflow(page)).toEqual([]);
  await page.getByRole('button', { name: t('records:cards.done') }).tap();
  await expect(bulk).toHaveCount(0);
  await page.getByRole('button', { name: t('records:cards.select') }).tap();
  await page.getByRole('checkbox').first().tap();
  await expect(bulk.getByText(t('records:bulk.selected', { text: 1 }))).toBeVisible();
  await bulk.getByRole('button', { name: t('records:bulk.none') }).tap();
  await expect(page.getByRole('checkbox')).toHaveCount(0);
});

test('the filter drawer', async ({ page, t, api }) => {
  const { count } = await api.post<{ count: number }>('/records/customer/count', {
    where: { trait: 'orders', op: '>=', value: 6 },
  });
  await page.goto('/o/customer');
  await settled(page);
  await page.getByRole('button', { name: t('records:filter.title') }).click();
  const drawer = page.getByRole('dialog', { name: t('records:filter.title') });
  await condition(drawer, t, '购买次数', t('fields:op.gte'), '6');
  await expect(drawer.getByText(t('records:filter.matching', { text: count.toLocaleString('en') }))).toBeVisible();
  expect(await sidewaysOverflow(page)).toEqual([]);
  await drawer.getByRole('button', { name: t('records:filter.apply') }).click();
  await expect(page.getByRole('button', { name: '购买次数 ≥ 6', exact: true })).toBeVisible();
  await page.getByRole('button', { name: t('records:filter.remove', { text: '购买次数 ≥ 6' }) }).click();
  await expect(page).not.toHaveURL(/where=ey/);
});

test('a customer on a small screen', async ({ page, t, api }) => {
  const customer = await bestCustomer(api);
  await page.goto(`/o/customer/${customer.id}`);
  await settled(page);
  const figures = page.getByLabel(t('customers:figures'));
  const first = page.getByRole('tabpanel').getByRole('listitem').first();
  const fields = page.getByRole('button', { name: new RegExp(`^${t('records:edit.field', { name: '名称' })}`) });
  const top = async (locator: typeof figures) => (await locator.boundingBox())?.y ?? -1;
  await expect(figures).toBeVisible();
  expect(await top(figures), 'figures stand before what happened').toBeLessThan(await top(first));
  expect(await top(first), 'what happened stands before the fields').toBeLessThan(await top(fields));
  expect(await sidewaysOverflow(page)).toEqual([]);
  await page.getByRole('tab', { name: t('customers:traits.title') }).click();
  await page.getByRole('button', { name: /^累计消费/ }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
});
