import { expect, type RecordData, test, toast } from './support';

test('a duplicate is warned of, compared, merged and taken apart again', async ({ page, t, api, faults }) => {
  faults.allow(/409 POST/);
  const first = await api.create('customer', { name: '欧阳晓明', phone: '13912345678', note: '原来的备注' });
  await page.goto('/o/customer?new=true');
  const form = page.getByRole('dialog');

  await test.step('the form says so while one types, and asks on saving', async () => {
    await form.getByRole('textbox', { name: '名称' }).fill('欧阳小明');
    await form.getByRole('textbox', { name: '手机' }).fill('13912345678');
    await expect(form.getByRole('status').filter({ hasText: '欧阳晓明' })).toBeVisible();
    await form.getByRole('button', { name: t('common:create') }).click();
    const question = page.getByRole('dialog', { name: t('duplicates:dialog.warned', { name: '客户' }) });
    await expect(question.getByRole('link', { name: '欧阳晓明' })).toBeVisible();
    await question.getByRole('button', { name: t('duplicates:dialog.compare') }).click();
  });

  await expect(page.getByRole('heading', { level: 1 })).toHaveText(t('merge:title', { name: '客户' }));
  const ids = (new URL(page.url()).searchParams.get('ids') ?? '').split(',');
  const second = ids.find((id) => id !== first.id) ?? '';
  const order = await api.create('order', { number: `MERGE-${Date.now()}`, customer: second });

  await test.step('a value is chosen and both become one', async () => {
    await page.reload();
    await page.getByRole('radio', { name: t('merge:keepThis', { name: '欧阳晓明' }) }).check();
    await page.getByRole('radio', { name: t('merge:take', { field: '名称', name: '欧阳小明' }) }).check();
    await expect(page.getByRole('status').filter({ hasText: '订单 1' })).toBeVisible();
    await page.getByRole('button', { name: t('merge:merge', { count: 2 }) }).click();
    await expect(page).toHaveURL(new RegExp(`/o/customer/${first.id}`));
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('欧阳小明');
    const moved = await api.get<RecordData>(`/records/order/${order.id}`);
    expect((moved.fields.customer as { id: string }).id, 'the order moved along').toBe(first.id);
    await expect(page.getByRole('tabpanel').getByText('合并了').first(), 'the timeline tells').toBeVisible();
  });

  await test.step('the former address leads to the survivor', async () => {
    await page.goto(`/o/customer/${second}`);
    await expect(page).toHaveURL(new RegExp(`/o/customer/${first.id}`));
  });

  await test.step('the merge is taken back', async () => {
    await page
      .getByRole('button', { name: t('common:more') })
      .first()
      .click();
    await page.getByRole('menuitem', { name: t('records:page.merges') }).click();
    const dialog = page.getByRole('dialog', { name: t('merge:list.title', { name: '欧阳小明' }) });
    await dialog.getByRole('button', { name: t('merge:list.undo') }).click();
    await expect(toast(page, t('merge:undone', { count: 1 }))).toBeVisible();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('欧阳晓明');
    const back = await api.get<RecordData>(`/records/order/${order.id}`);
    expect((back.fields.customer as { id: string }).id).toBe(second);
  });

  await test.step('the record says that another may be the same, until told otherwise', async () => {
    await page.reload();
    const banner = page.getByRole('status').filter({ hasText: '欧阳小明' });
    await expect(banner).toBeVisible();
    await banner.getByRole('button', { name: t('duplicates:notSame') }).click();
    await expect(toast(page, t('duplicates:dismissed'))).toBeVisible();
    await expect(banner).toBeHidden();
  });
  await api.remove('order', order.id);
  await api.remove('customer', second);
  await api.remove('customer', first.id);
});

test('everything is searched and reviewed', async ({ page, t, api }) => {
  const anyway = async (fields: Record<string, unknown>) =>
    await api.post<RecordData>('/records/customer?duplicates=allow', { fields });
  const a = await anyway({ name: '司徒建国', phone: '13700001111' });
  const b = await anyway({ name: '司徒建囯', phone: '13700001111' });
  await page.goto('/duplicates/customer');
  await page.getByRole('button', { name: t('duplicates:page.search') }).click();
  const card = page.getByRole('article').filter({ hasText: '司徒建国' });
  await expect(card).toBeVisible({ timeout: 15_000 });
  await expect(card.getByText(t('duplicates:page.sure'))).toBeVisible();
  await card.getByRole('button', { name: t('duplicates:page.later1') }).click();
  await expect(card).toBeHidden();
  await page.getByRole('radio', { name: t('duplicates:page.later') }).check({ force: true });
  await card.getByRole('button', { name: t('duplicates:page.reopen') }).click();
  await page.getByRole('radio', { name: t('duplicates:page.open') }).check({ force: true });
  await card.getByRole('checkbox').check({ force: true });
  await page.getByRole('button', { name: t('duplicates:page.mergeSure', { count: 1 }) }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('duplicates:page.merge') })
    .click();
  await expect(card).toBeHidden();
  const left = await api.get<RecordData>(`/records/customer/${b.id}`);
  expect([a.id, b.id]).toContain(left.id);
  await api.remove('customer', left.id);

  await test.step('a rule is tried', async () => {
    await page.goto('/settings/duplicates');
    await page
      .getByRole('button', { name: t('duplicates:rules.try') })
      .first()
      .click();
    await expect(page.getByRole('status').filter({ hasText: /条记录中/ })).toBeVisible();
  });
});
