import { settled } from './pages';
import { type Api, expect, type Locator, listOf, type Page, pick, type RecordData, test, toast } from './support';

const gridOf = (page: Page): Locator => page.getByRole('grid');
const rowOf = (page: Page, name: string): Locator => gridOf(page).getByRole('row').filter({ hasText: name });

/** Customers of this test alone, taken away afterwards. */
async function withCustomers(
  api: Api,
  names: readonly string[],
  work: (made: RecordData[]) => Promise<void>,
): Promise<void> {
  const made: RecordData[] = [];
  for (const name of names) made.push(await api.create('customer', { name, source: 'store' }));
  try {
    await work(made);
  } finally {
    for (const { id } of made) await api.remove('customer', id);
  }
}

test('a cell is edited where it stands, and the toast takes it back', async ({ page, t, api }) => {
  await withCustomers(api, ['就地编辑甲'], async ([made]) => {
    await page.goto(listOf('customer', [made?.id ?? '']));
    const row = rowOf(page, '就地编辑甲');
    await expect(row).toContainText('门店');
    await test.step('a choice', async () => {
      await row.getByRole('gridcell', { name: '门店' }).dblclick();
      await page.getByRole('option', { name: '网店' }).click();
      await expect(row).toContainText('网店');
      await expect(toast(page, t('common:saved'))).toBeVisible();
      await toast(page, t('common:saved'))
        .getByRole('button', { name: t('common:undo') })
        .click();
      await expect(toast(page, t('records:edit.undone'))).toBeVisible();
      await expect(row).toContainText('门店');
      const now = await api.get<RecordData>(`/records/customer/${made?.id}`);
      expect(now.fields.source).toBe('store');
    });
    await test.step('a text, by keys; Escape keeps the old one', async () => {
      await row.getByRole('gridcell', { name: '门店' }).click();
      await page.keyboard.press('Home');
      await page.keyboard.press('Control+ArrowLeft');
      await page.keyboard.press('F2');
      const editor = gridOf(page).getByRole('textbox', { name: '名称' });
      await editor.fill('不要这个');
      await editor.press('Escape');
      await expect(rowOf(page, '就地编辑甲')).toBeVisible();
      await page.keyboard.press('F2');
      await editor.fill('就地编辑乙');
      await editor.press('Enter');
      await expect(rowOf(page, '就地编辑乙')).toBeVisible();
      await expect(toast(page, t('common:saved'))).toBeVisible();
    });
  });
});

test('tags for a selection', async ({ page, t, api }) => {
  const names = ['批量标签甲', '批量标签乙', '批量标签丙'];
  await withCustomers(api, names, async (made) => {
    const tagsOf = async () =>
      (await api.find('customer', { where: { field: 'id', op: 'in', value: made.map(({ id }) => id) } })).map(
        (record) => record.fields.tags ?? [],
      );
    await page.goto(
      listOf(
        'customer',
        made.map(({ id }) => id),
      ),
    );
    for (const name of names) await expect(rowOf(page, name)).toBeVisible();
    const bulk = page.getByRole('region', { name: t('records:bulk.label') });
    await rowOf(page, '批量标签甲').getByRole('gridcell').first().click();
    await expect(bulk.getByText(t('records:bulk.selected', { text: 1 }))).toBeVisible();
    await page.getByRole('checkbox', { name: t('records:select.loaded') }).click();
    await expect(bulk).toHaveCount(0);
    await page.getByRole('checkbox', { name: t('records:select.loaded') }).click();
    await expect(bulk.getByText(t('records:bulk.selected', { text: 3 }))).toBeVisible();
    const change = async (field: string) => {
      await bulk.getByRole('button', { name: t('records:bulk.tag') }).click();
      const dialog = page.getByRole('dialog', { name: t('jobs:dialog.tag', { text: 3 }) });
      await dialog.getByRole('combobox', { name: field }).fill('老客回访');
      await dialog.getByRole('combobox', { name: field }).press('Enter');
      await dialog.getByRole('button', { name: t('jobs:dialog.apply', { text: 3 }) }).click();
      await expect(toast(page, t('jobs:said.edit', { count: 3 }))).toBeVisible();
    };
    await change(t('jobs:dialog.tag_add'));
    expect(await tagsOf()).toEqual([['老客回访'], ['老客回访'], ['老客回访']]);
    await test.step('undo puts back what was there', async () => {
      await toast(page, t('jobs:said.edit', { count: 3 }))
        .getByRole('button', { name: t('common:undo') })
        .click();
      await expect(toast(page, t('jobs:said.undone', { count: 3 }))).toBeVisible();
      expect(await tagsOf()).toEqual([[], [], []]);
    });
    await change(t('jobs:dialog.tag_add'));
    await change(t('jobs:dialog.tag_remove'));
    expect(await tagsOf()).toEqual([[], [], []]);
  });
});

test('a selection is deleted, and the toast brings it back', async ({ page, t, api }) => {
  const names = ['批量删除甲', '批量删除乙'];
  await withCustomers(api, names, async (made) => {
    await page.goto(
      listOf(
        'customer',
        made.map(({ id }) => id),
      ),
    );
    for (const name of names) await rowOf(page, name).getByRole('gridcell').first().click();
    const bulk = page.getByRole('region', { name: t('records:bulk.label') });
    await bulk.getByRole('button', { name: t('common:delete') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('common:delete') })
      .click();
    await expect(page.getByRole('heading', { name: t('common:empty.no_match.title') })).toBeVisible();
    const news = toast(page, t('jobs:said.delete', { count: 2 }));
    await news.getByRole('button', { name: t('common:undo') }).click();
    for (const name of names) await expect(rowOf(page, name)).toBeVisible();
  });
});

test('a new record: what is refused, what is made, into the bin and back', async ({ page, t, api, faults }) => {
  faults.allow(/422 POST \/api\/v1\/records\/customer$/);
  await page.goto('/o/customer');
  await settled(page);
  const title = t('records:form.title', { name: '客户' });
  const form = page.getByRole('dialog', { name: title });
  await test.step('refused', async () => {
    await page.getByRole('button', { name: t('records:list.new'), exact: true }).click();
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(form.getByText(t('records:form.needed'))).toBeVisible();
    await form.getByRole('textbox', { name: '名称' }).fill('新建测试客户');
    await form.getByRole('textbox', { name: '手机' }).fill('12');
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(form.getByRole('textbox', { name: '手机' })).toHaveAttribute('aria-invalid', 'true');
    await expect(form.getByRole('textbox', { name: '手机' })).toHaveAccessibleDescription(/.+/);
  });
  await test.step('made', async () => {
    await form.getByRole('textbox', { name: '手机' }).fill('13800138000');
    await pick(form, '客户类型', '企业');
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(toast(page, t('records:list.created', { name: '新建测试客户' }))).toBeVisible();
    const panel = page.getByRole('complementary', { name: t('shell:peek.label') });
    await expect(panel.getByText('新建测试客户').first()).toBeVisible();
    await expect(rowOf(page, '新建测试客户'), 'the list has it at once').toBeVisible();
    await panel.getByRole('button', { name: t('shell:peek.open') }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('新建测试客户');
  });
  const id = /cus_\w+/.exec(page.url())?.[0] ?? '';
  await test.step('deleted', async () => {
    await page.getByRole('button', { name: t('common:more'), exact: true }).click();
    await page.getByRole('menuitem', { name: t('common:delete') }).click();
    await expect(toast(page, t('records:page.deleted', { name: '新建测试客户' }))).toBeVisible();
    await expect(page).toHaveURL(/\/o\/customer/);
    await expect(rowOf(page, '新建测试客户')).toHaveCount(0);
  });
  await test.step('restored from the bin', async () => {
    await page.getByRole('button', { name: t('common:more'), exact: true }).click();
    await page.getByRole('menuitem', { name: t('records:bin.title') }).click();
    await expect(page.getByText(t('records:bin.here'))).toBeVisible();
    await rowOf(page, '新建测试客户').getByRole('gridcell').first().click();
    await page
      .getByRole('region', { name: t('records:bulk.label') })
      .getByRole('button', { name: t('records:bulk.restore') })
      .click();
    await expect(toast(page, t('jobs:said.restore', { count: 1 }))).toBeVisible();
    await expect(rowOf(page, '新建测试客户')).toHaveCount(0);
    await page.goto(listOf('customer', [id]));
    await expect(rowOf(page, '新建测试客户')).toBeVisible();
  });
  await api.remove('customer', id);
});

test('leaving a half-filled form asks first', async ({ page, t }) => {
  await page.goto('/o/customer?new=true');
  const form = page.getByRole('dialog', { name: t('records:form.title', { name: '客户' }) });
  await form.getByRole('textbox', { name: '名称' }).fill('还没写完');
  await form.getByRole('button', { name: t('common:cancel') }).click();
  const question = page.getByRole('dialog', { name: t('dialogs:giveUp.title') });
  await question.getByRole('button', { name: t('common:cancel') }).click();
  await expect(form.getByRole('textbox', { name: '名称' })).toHaveValue('还没写完');
  await form.getByRole('button', { name: t('common:cancel') }).click();
  await question.getByRole('button', { name: t('dialogs:giveUp.confirm') }).click();
  await expect(form).toHaveCount(0);
  await expect(page).not.toHaveURL(/new=/);
});
