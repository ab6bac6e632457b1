import { expectAccessible } from './axe';
import { settled, shoot } from './pages';
import { expect, pick, test, toast } from './support';

interface Saved {
  id: string;
  shares: { kind: string; name: string; access: string }[];
  default: string;
  defaults: { kind: string; to: string }[];
}

test('a view is shared, opens first for a role, and is found with its owner', async ({ page, t, api }) => {
  const name = `共享${Date.now().toString(36)}`;
  const unit = await api.post<{ id: string }>('/org/units', { kind: 'department', name: `华东${name}` });
  const view = await api.post<Saved>('/views', { object: 'product', name, columns: ['name', 'status'] });
  const now = async () =>
    (await api.get<{ items: Saved[] }>('/views?object=product')).items.find(({ id }) => id === view.id);
  try {
    await page.goto(`/o/product?view=${view.id}`);
    await settled(page);
    const menu = page.getByRole('button', { name: t('views:view.options', { name }) });
    await menu.click();
    await page.getByRole('menuitem', { name: t('views:view.share') }).click();
    const dialog = page.getByRole('dialog', { name: t('sharing:title', { name }) });
    await pick(dialog, t('sharing:with'), `华东${name}`, `华东${name}`);
    await dialog.getByRole('button', { name: t('sharing:add'), exact: true }).click();
    await expect(toast(page, t('sharing:done'))).toBeVisible();
    await dialog
      .getByRole('radiogroup', { name: t('sharing:howFor', { name: `华东${name}` }) })
      .getByText(t('sharing:access.write'))
      .click();
    await expect.poll(async () => (await now())?.shares[0]?.access).toBe('write');
    await pick(dialog, t('sharing:with'), t('sharing:everyone'), t('sharing:everyone'));
    await dialog.getByRole('button', { name: t('sharing:add'), exact: true }).click();
    await expect(dialog.getByRole('listitem')).toHaveCount(2);
    await pick(dialog, t('sharing:default.for'), t('sharing:role.readonly'), t('sharing:role.readonly'));
    await dialog.getByRole('button', { name: t('sharing:default.set') }).click();
    await expect(
      dialog.getByRole('button', { name: t('sharing:default.remove', { name: t('sharing:role.readonly') }) }),
    ).toBeVisible();
    expect((await now())?.defaults.map(({ to }) => to)).toEqual(['readonly']);
    await expectAccessible(page, 'view-share');
    await shoot(page, 'view-share');
    await page.keyboard.press('Escape');
    await menu.click();
    await page.getByRole('menuitem', { name: t('views:view.allViews') }).click();
    const row = page.getByRole('dialog').getByRole('row').filter({ hasText: name });
    await expect(row).toContainText(t('sharing:all.mine'));
    await expect(row).toContainText(t('sharing:everyone'));
    await shoot(page, 'view-all');
  } finally {
    await api.json('DELETE', `/views/${view.id}`);
    await api.json('DELETE', `/org/units/${unit.id}`);
  }
});

test('the views of somebody who leaves go to a chosen person', async ({ page, t, api, playwright, baseURL }) => {
  const stamp = Date.now().toString(36);
  const name = `离职${stamp}`;
  const password = 'quiet river stones 9';
  const { id } = await api.post<{ id: string }>('/users', {
    email: `${stamp}@example.com`,
    name,
    role: 'member',
    password,
  });
  const other = await playwright.request.newContext({
    baseURL: baseURL ?? '',
    storageState: { cookies: [], origins: [] },
  });
  const { csrf } = (await (
    await other.post('/api/v1/session', { data: { email: `${stamp}@example.com`, password } })
  ).json()) as { csrf: string };
  const made = await other.post('/api/v1/views', {
    headers: { 'X-CSRF-Token': csrf },
    data: { object: 'product', name },
  });
  const view = (await made.json()) as { id: string };
  await other.dispose();
  const me = await api.get<{ user: { name: string } }>('/me');
  await page.goto('/settings/users');
  await page.getByRole('button', { name: t('settings:actionsOf', { name }) }).click();
  await page.getByRole('menuitem', { name: t('settings:users.disable') }).click();
  const dialog = page.getByRole('dialog', { name: t('sharing:leave.title', { name }) });
  await pick(dialog, t('sharing:leave.to'), me.user.name, me.user.name);
  await shoot(page, 'view-leave');
  await dialog.getByRole('button', { name: t('sharing:leave.disable') }).click();
  await expect(dialog).toBeHidden();
  const { items } = await api.get<{ items: { id: string; mine: boolean }[] }>('/views?object=product');
  expect(items.find((each) => each.id === view.id)?.mine).toBe(true);
  const users = await api.get<{ items: { id: string; disabled: boolean }[] }>('/users');
  expect(users.items.find((each) => each.id === id)?.disabled).toBe(true);
  await api.json('DELETE', `/views/${view.id}`);
});
