import { seriousFindings } from './axe';
import { settled } from './pages';
import {
  type Api,
  base64url,
  deleteView,
  expect,
  type Locator,
  listOf,
  type Page,
  pick,
  type RecordData,
  test,
  toast,
} from './support';

const gridOf = (page: Page): Locator => page.getByRole('grid');
const options = (value: unknown, more = '') => `opts=${base64url(value)}${more}`;

/** Products of this test alone, taken away afterwards. */
async function withProducts(
  api: Api,
  names: readonly string[],
  work: (made: RecordData[]) => Promise<void>,
): Promise<void> {
  const made: RecordData[] = [];
  for (const name of names) made.push(await api.create('product', { name, status: 'active', season: 'spring' }));
  try {
    await work(made);
  } finally {
    for (const { id } of made) await api.remove('product', id);
  }
}
const idsOf = (made: readonly RecordData[]) => made.map(({ id }) => id);
const statusOf = async (api: Api, id: string) => (await api.get<RecordData>(`/records/product/${id}`)).fields.status;

interface Figures {
  groups: { values: { name?: string }[]; count: number; measures: ({ amount: string } | null)[] }[];
  total: { count: number; measures: ({ amount: string } | null)[] };
}

test('groups with counts and totals come from the server and stay in the address', async ({ page, t, api }) => {
  const figures = await api.post<Figures>('/records/order/aggregate', {
    group_by: [{ field: 'placed_at', by: 'year' }],
    measures: [{ func: 'sum', field: 'net_amount' }],
  });
  await page.goto('/o/order');
  await settled(page);
  await page.getByRole('button', { name: t('views:panel.list') }).click();
  await pick(page, t('views:panel.groupBy'), '下单时间', '下单');
  await pick(page, t('views:panel.span'), t('views:span.year'));
  await page.getByRole('switch', { name: t('views:panel.totals') }).check({ force: true });
  await page.keyboard.press('Escape');
  const heads = gridOf(page).locator('[data-group]');
  const first = figures.groups[0];
  await expect(heads.first()).toContainText(first?.count.toLocaleString('en') ?? '');
  const whole = (amount: string | undefined) => Math.trunc(Number(amount)).toLocaleString('en');
  await expect(heads.first()).toContainText(whole(first?.measures[0]?.amount));
  const totals = gridOf(page).getByRole('row', { name: t('views:totals.title') });
  await expect(totals).toContainText(figures.total.count.toLocaleString('en'));
  await expect(totals).toContainText(whole(figures.total.measures[0]?.amount));
  await page.getByRole('button', { name: t('views:panel.closeAll') }).click();
  await expect(heads).toHaveCount(figures.groups.length);
  expect(await seriousFindings(page)).toEqual([]);
  await page.reload();
  await expect(heads.first(), 'the address keeps groups and totals').toContainText(
    first?.count.toLocaleString('en') ?? '',
  );
  await expect(totals).toContainText(whole(figures.total.measures[0]?.amount));
});

test('a card changes its column by mouse and by keys, and is taken back', async ({ page, t, api }) => {
  await withProducts(api, ['看板样品甲', '看板样品乙'], async (made) => {
    const [one, two] = idsOf(made) as [string, string];
    await page.goto(listOf('product', [one, two], `&kind=board&${options({ board: { field: 'status' } })}`));
    const column = (name: string) => page.getByRole('region', { name, exact: true });
    const card = page.getByRole('listitem').filter({ hasText: '看板样品甲' });
    await expect(column('在售').getByRole('listitem')).toHaveCount(2);
    await test.step('by mouse', async () => {
      await card.hover();
      await page.mouse.down();
      const target = (await column('停售').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      await page.mouse.move(target.x + target.width / 2, target.y + 120, { steps: 8 });
      await page.mouse.up();
      await expect(column('停售').getByRole('listitem').filter({ hasText: '看板样品甲' })).toBeVisible();
      await expect(toast(page, t('common:saved'))).toBeVisible();
      expect(await statusOf(api, one)).toBe('discontinued');
    });
    await test.step('taken back', async () => {
      await toast(page, t('common:saved'))
        .getByRole('button', { name: t('common:undo') })
        .click();
      await expect(column('在售').getByRole('listitem').filter({ hasText: '看板样品甲' })).toBeVisible();
      expect(await statusOf(api, one)).toBe('active');
    });
    await test.step('by keys', async () => {
      await page.getByRole('link', { name: '看板样品乙' }).focus();
      await page.keyboard.press(' ');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press(' ');
      await expect(column('停售').getByRole('listitem').filter({ hasText: '看板样品乙' })).toBeVisible();
      await expect.poll(() => statusOf(api, two)).toBe('discontinued');
    });
    expect(await seriousFindings(page)).toEqual([]);
  });
});

/** Puts a text on the clipboard and presses paste, without the rights that the real one asks for. */
const paste = (page: Page, text: string) =>
  gridOf(page).evaluate((grid, given) => {
    const data = new DataTransfer();
    data.setData('text/plain', given);
    grid.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);

test('a range from a spreadsheet is shown before it is written, and undone as one', async ({ page, t, api }) => {
  await withProducts(api, ['粘贴样品甲', '粘贴样品乙', '粘贴样品丙'], async (made) => {
    const ids = idsOf(made);
    await page.goto(listOf('product', ids, '&cols=name,status,brand&sort=name'));
    const row = (name: string) => gridOf(page).getByRole('row').filter({ hasText: name });
    await expect(row('粘贴样品丙')).toBeVisible();
    const order = await gridOf(page).getByRole('link').allTextContents();
    await row(order[0] ?? '')
      .getByRole('gridcell', { name: '在售' })
      .click();
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowRight');
    await paste(page, '停售\t样牌\n没有这个\t样牌二\n停售\t样牌三');
    const dialog = page.getByRole('dialog', { name: t('layouts:paste.title') });
    await expect(dialog.getByText(t('layouts:paste.why.unfit'))).toBeVisible();
    await expect(dialog.getByText(t('layouts:paste.refused', { count: 1 }))).toBeVisible();
    await dialog.getByRole('button', { name: t('layouts:paste.apply', { count: 5 }) }).click();
    await expect(toast(page, t('layouts:paste.done', { count: 5 }))).toBeVisible();
    await expect(row(order[2] ?? '')).toContainText('样牌三');
    const brands = async () => {
      const found = await api.find('product', {
        where: { field: 'id', op: 'in', value: ids },
        sort: [{ field: 'name' }],
      });
      return found.map(({ fields }) => [fields.status, fields.brand ?? null]);
    };
    expect(await brands()).toEqual([
      ['discontinued', '样牌'],
      ['active', '样牌二'],
      ['discontinued', '样牌三'],
    ]);
    await gridOf(page).focus();
    await page.keyboard.press('Control+z');
    await expect(toast(page, t('layouts:paste.undone'))).toBeVisible();
    expect(await brands()).toEqual([
      ['active', null],
      ['active', null],
      ['active', null],
    ]);
  });
});

test('a view keeps its kind and settings, opens by its address, and can be the default', async ({ page, t }) => {
  await page.goto(`/o/product?kind=board&${options({ board: { field: 'status' }, limits: { active: 1 } })}`);
  await expect(page.getByText(t('layouts:board.over', { limit: 1 }))).toBeAttached();
  await page.getByRole('button', { name: t('views:view.saveAs') }).click();
  const dialog = page.getByRole('dialog', { name: t('views:view.createTitle') });
  await dialog.getByLabel(t('views:view.name')).fill('商品看板');
  await dialog.getByRole('button', { name: t('common:save') }).click();
  const tabs = page.getByRole('navigation', { name: t('views:view.label') });
  const tab = tabs.getByRole('button', { name: '商品看板', exact: true });
  await expect(tab).toHaveAttribute('aria-current', 'true');
  await expect(page).not.toHaveURL(/opts=/);
  const address = page.url();
  await tabs.getByRole('button', { name: t('views:view.options', { name: '商品看板' }) }).click();
  await page.getByRole('menuitem', { name: t('views:save.forMe') }).click();
  await page.goto('/o/product');
  await expect(page.getByRole('region', { name: '在售' }), 'the default opens').toBeVisible();
  await page.goto('/o/customer');
  await page.goto(address);
  await expect(page.getByText(t('layouts:board.over', { limit: 1 })), 'the address opens it whole').toBeAttached();
  await page.getByRole('radio', { name: t('views:kind.list') }).check({ force: true });
  await expect(page.getByRole('button', { name: t('views:view.discard') })).toBeVisible();
  await page.getByRole('button', { name: t('views:view.discard') }).click();
  await expect(page.getByRole('region', { name: '在售' })).toBeVisible();
  await deleteView(page, t, '商品看板');
  await expect(gridOf(page)).toBeVisible();
});

test('a calendar moves a record to another day, by mouse and by keys', async ({ page, t, api }) => {
  await withProducts(api, ['日历样品'], async ([made]) => {
    const id = made?.id ?? '';
    const record = await api.get<RecordData>(`/records/product/${id}`);
    const set = { fields: { launched_on: '2026-11-11' }, version: record.version };
    await api.json('PATCH', `/records/product/${id}`, set, { 'If-Match': `"${record.version}"` });
    await page.goto(listOf('product', [id], `&kind=calendar&day=2026-11-05&${options({ date: 'launched_on' })}`));
    const day = (date: string) => page.locator(`[data-drop="${date}"]`);
    const dayOf = async () => (await api.get<RecordData>(`/records/product/${id}`)).fields.launched_on;
    await expect(day('2026-11-11').getByRole('link', { name: '日历样品' })).toBeVisible();
    await day('2026-11-11').getByRole('link', { name: '日历样品' }).hover();
    await page.mouse.down();
    const target = (await day('2026-11-19').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(target.x + target.width / 2, target.y + target.height / 2, { steps: 8 });
    await page.mouse.up();
    await expect(day('2026-11-19').getByRole('link', { name: '日历样品' })).toBeVisible();
    await expect(toast(page, t('common:saved'))).toBeVisible();
    await expect.poll(dayOf).toBe('2026-11-19');
    await day('2026-11-19').getByRole('link', { name: '日历样品' }).focus();
    await page.keyboard.press('Shift+ArrowRight');
    await expect(day('2026-11-20').getByRole('link', { name: '日历样品' })).toBeVisible();
    await expect.poll(dayOf).toBe('2026-11-20');
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole('radio', { name: t('layouts:calendar.agenda') }).check({ force: true });
    await expect(page.getByRole('link', { name: '日历样品' })).toBeVisible();
    await page.getByRole('radio', { name: t('views:kind.cards') }).check({ force: true });
    await expect(page.getByRole('link', { name: /日历样品/ })).toContainText('在售');
    expect(await seriousFindings(page)).toEqual([]);
  });
});
