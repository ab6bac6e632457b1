import { bestCustomer, settled } from './pages';
import { expect, type RecordData, test, toast } from './support';

test('everything about a customer', async ({ page, t, api }) => {
  const customer = await bestCustomer(api);
  const profile = await api.get<{
    traits: { key: string; label: Record<string, string>; value: unknown; explanation: Record<string, string> }[];
    related: { object: string; label: Record<string, string>; count: number }[];
    classes: { key: string; class_label: Record<string, string> }[];
  }>(`/customers/${customer.id}/profile`);
  await page.goto(`/o/customer/${customer.id}`);
  await settled(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(customer.title);

  await test.step('figures and classes', async () => {
    const figures = page.getByLabel(t('customers:figures'));
    expect(await figures.locator('dt').count()).toBeGreaterThan(3);
    await expect(
      figures.getByRole('img', { name: /5 \/ 5/ }).first(),
      'the best customer has the best scores',
    ).toBeVisible();
    // A class of what nobody knows (income unknown) says nothing and is left out.
    for (const item of profile.classes.filter(({ key }) => key !== 'unknown'))
      await expect(page.getByText(item.class_label['zh-CN'] ?? '', { exact: true }).first()).toBeVisible();
  });
  await test.step('timeline', async () => {
    const entries = page.getByRole('tabpanel').getByRole('listitem');
    await expect(entries.first()).toBeVisible();
    const before = await entries.count();
    await page.getByRole('button', { name: t('records:timeline.more') }).click();
    await expect.poll(() => entries.count()).toBeGreaterThan(before);
  });
  await test.step('orders', async () => {
    const orders = profile.related.find((relation) => relation.object === 'order');
    await page.getByRole('tab', { name: orders?.label['zh-CN'] ?? '' }).click();
    await expect(page).toHaveURL(/tab=/);
    const count = orders?.count ?? 0;
    await expect(page.getByText(t('records:foot.total', { text: count.toLocaleString('en') })).first()).toBeVisible();
    await page.getByRole('tabpanel').getByRole('row').nth(1).click();
    const panel = page.getByRole('complementary', { name: t('shell:peek.label') });
    const lines = panel.getByRole('region', { name: t('records:order.lines') });
    await expect(lines.getByRole('row').nth(1), 'an order shows its lines').toBeVisible();
    await panel.getByRole('button', { name: t('shell:peek.close') }).click();
  });
  await test.step('traits explain themselves', async () => {
    await page.getByRole('tab', { name: t('customers:traits.title') }).click();
    const spend = profile.traits.find((trait) => trait.key === 'spend_total');
    await page.getByRole('button', { name: new RegExp(`^${spend?.label['zh-CN']}`) }).click();
    await expect(page.getByText(spend?.explanation['zh-CN'] ?? 'missing')).toBeVisible();
  });
});

test('looking at a phone number is written down', async ({ page, t, api }) => {
  const made = await api.create('customer', { name: '查看手机', phone: '13812341234' });
  await page.goto(`/o/customer/${made.id}`);
  const phone = page.getByRole('button', { name: /手机 1/ });
  await expect(phone).toContainText('138 **** 1234');
  await page.getByRole('button', { name: `${t('fields:reveal')} 手机` }).click();
  await expect(phone).toContainText('138 1234 1234');
  await page.getByRole('button', { name: /秒后隐藏/ }).click();
  await expect(phone).toContainText('138 **** 1234');

  await page.goto('/settings/audit');
  const entry = page
    .getByRole('row')
    .filter({ hasText: t('settings:action.record_reveal') })
    .first();
  await expect(entry).toContainText('演示管理员');
  await expect(entry.getByRole('link')).toHaveAttribute('href', `/o/customer/${made.id}`);
  await api.remove('customer', made.id);
});

test('a field is edited in its place', async ({ page, t, api }) => {
  const made = await api.create('customer', { name: '编辑字段', source: 'store' });
  await page.goto(`/o/customer/${made.id}`);
  const edit = page.getByRole('button', { name: new RegExp(`^${t('records:edit.field', { name: '名称' })}`) });
  await edit.click();
  const editor = page.getByRole('textbox', { name: '名称' });
  await editor.fill('编辑字段之后');
  await editor.press('Enter');
  await expect(toast(page, t('common:saved'))).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('编辑字段之后');
  await page.getByRole('tab', { name: t('records:page.history') }).click();
  await expect(page.getByRole('tabpanel').getByText('编辑字段之后').first(), 'the history has it').toBeVisible();
  await toast(page, t('common:saved'))
    .getByRole('button', { name: t('common:undo') })
    .click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('编辑字段');
  await expect(toast(page, t('records:edit.undone'))).toBeVisible();
  await api.remove('customer', made.id);
});

test("somebody else's change is shown, never overwritten", async ({ page, t, api, faults }) => {
  faults.allow(/412 PATCH/);
  const made = await api.create('customer', { name: '版本冲突', note: '原来的备注' });
  const events = /\/api\/v1\/events/;
  // Without the news of it, as on a slow connection: the page still shows the old version.
  await page.route(events, (route) => route.abort());
  faults.allow(/ERR_FAILED.*events/);
  await page.goto(`/o/customer/${made.id}`);
  await settled(page);
  const edit = page.getByRole('button', { name: new RegExp(`^${t('records:edit.field', { name: '名称' })}`) });
  const conflict = page.getByRole('dialog', { name: t('dialogs:conflict.title') });
  const change = async (theirs: string, mine: string) => {
    const now = await api.get<RecordData>(`/records/customer/${made.id}`);
    await edit.click();
    await api.json(
      'PATCH',
      `/records/customer/${made.id}`,
      { fields: { name: theirs } },
      { 'If-Match': `"${now.version}"` },
    );
    const editor = page.getByRole('textbox', { name: '名称' });
    await editor.fill(mine);
    await editor.press('Enter');
    await expect(conflict.getByRole('cell', { name: theirs })).toBeVisible();
    await expect(conflict.getByRole('cell', { name: mine })).toBeVisible();
  };
  await change('对方改的', '我改的');
  await conflict.getByRole('button', { name: t('dialogs:conflict.keepTheirs') }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('对方改的');
  await change('对方又改', '我又改');
  await conflict.getByRole('button', { name: t('dialogs:conflict.takeMine') }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('我又改');
  await expect(toast(page, t('common:saved'))).toBeVisible();
  expect((await api.get<RecordData>(`/records/customer/${made.id}`)).title).toBe('我又改');
  await api.remove('customer', made.id);
});

test('a page that is not there says so', async ({ page, t, faults }) => {
  faults.allow(/404 GET/);
  await page.goto('/o/customer/cus_0000000000000');
  await expect(page.getByRole('heading', { name: t('common:empty.not_found.title') })).toBeVisible();
  await page.goto('/o/nonsense');
  await expect(page.getByRole('heading', { name: t('common:empty.not_found.title') })).toBeVisible();
});
