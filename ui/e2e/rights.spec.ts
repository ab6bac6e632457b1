import type { Browser } from '@playwright/test';
import { expectAccessible } from './axe';
import { settled, shoot } from './pages';
import { outside, type Person, signIn } from './people';
import { expect, type Page, pick, test, toast, type Words } from './support';

const PASSWORD = 'quiet river stones 9';

/** A browser of its own, signed in as somebody. */
async function as(browser: Browser, t: Words, email: string, locale?: string): Promise<Person> {
  const person = await outside(browser, locale);
  await signIn(person, t, email, PASSWORD);
  return person;
}

const list = async (page: Page) => {
  await page.goto('/o/customer');
  await settled(page);
};

test('a sales person sees only hers, what is shared with her, and never a hidden field', async ({
  page,
  t,
  browser,
  api,
  locale,
}) => {
  test.setTimeout(120_000);
  const zh = locale?.startsWith('zh') === true;
  const [customers, note] = zh ? (['客户', '备注'] as const) : (['Customers', 'Note'] as const);
  const stamp = Date.now().toString(36);
  const roleName = `销售${stamp}`;
  const people = new Map<string, string>();

  await test.step('a role is made of a template: own customers, no notes', async () => {
    await page.goto('/settings/roles');
    await page.getByRole('link', { name: t('rights:role.new') }).click();
    await page.getByLabel(t('rights:role.name')).fill(roleName);
    const cell = (object: string, action: string) =>
      page.getByRole('combobox', {
        name: t('rights:matrix.scopeOf', { object, action: t(`rights:action.${action}`) }),
        exact: true,
      });
    for (const action of ['read', 'create', 'update', 'export', 'share'])
      await cell(customers, action).selectOption('own');
    await page
      .getByRole('button', { name: t('rights:matrix.fieldsOf', { object: customers }) })
      .first()
      .click();
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('combobox', { name: t('rights:fields.levelOf', { field: note }) }).selectOption('hidden');
    await drawer.getByRole('button', { name: t('rights:done') }).click();
    await page.getByRole('button', { name: t('rights:preview.run') }).click();
    await expect(page.getByRole('region', { name: t('rights:preview.title') })).toContainText(note);
    await shoot(page, 'role');
    await expectAccessible(page, 'role');
    await page.getByRole('button', { name: t('common:save'), exact: true }).click();
    await expect(page.getByRole('row').filter({ hasText: roleName })).toBeVisible();
  });

  const roles = await api.get<{ items: { key: string; name: Record<string, string> }[] }>('/roles');
  const sales = roles.items.find((role) => role.name.en === roleName)?.key ?? '';
  const head = await api.post<{ key: string }>('/roles', {
    name: `主管${stamp}`,
    rights: ['segment.read'],
    objects: { '*': { actions: { read: { scope: 'department' } } } },
  });
  for (const [name, role] of [
    ['ann', sales],
    ['bob', sales],
    ['head', head.key],
  ] as const) {
    const user = await api.post<{ id: string }>('/users', {
      email: `${name}.${stamp}@guanxi.example`,
      name: `${name} ${stamp}`,
      role,
      password: PASSWORD,
    });
    people.set(name, user.id);
  }

  await test.step('departments are a tree with people in them', async () => {
    await page.goto('/settings/org');
    await page.getByRole('button', { name: t('rights:org.new.department') }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(t('rights:org.name')).fill(`华东${stamp}`);
    await pick(dialog, t('rights:org.members'), `head ${stamp}`, `head ${stamp}`);
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: t('common:save') }).click();
    await expect(page.getByRole('button', { name: `华东${stamp}`, exact: true })).toBeVisible();
    const org = await api.get<{ items: { id: string; name: string }[] }>('/org');
    const parent = org.items.find((unit) => unit.name === `华东${stamp}`)?.id;
    await api.post('/org/units', { kind: 'department', name: `上海${stamp}`, parent, add: [people.get('ann')] });
    await expect(page.getByRole('button', { name: `上海${stamp}`, exact: true })).toBeVisible();
    await shoot(page, 'org');
    await expectAccessible(page, 'org');
  });

  const hers = await api.create('customer', { name: `甲${stamp}`, owner: people.get('ann'), note: `秘密${stamp}` });
  const his = await api.create('customer', { name: `乙${stamp}`, owner: people.get('bob') });
  const ann = await as(browser, t, `ann.${stamp}@guanxi.example`, locale);

  await test.step('she sees hers alone, without the note', async () => {
    await list(ann.page);
    await expect(ann.page.getByText(`甲${stamp}`)).toBeVisible();
    await expect(ann.page.getByText(`乙${stamp}`)).toHaveCount(0);
    await ann.page.goto(`/o/customer/${hers.id}`);
    await settled(ann.page);
    await expect(ann.page.getByText(`秘密${stamp}`)).toHaveCount(0);
    await expect(ann.page.locator('dt').getByText(note, { exact: true })).toHaveCount(0);
    ann.faults.allow(/404 GET .*\/customers\/.*\/profile/);
    await ann.page.goto(`/o/customer/${his.id}`);
    await expect(ann.page.getByText(`乙${stamp}`)).toHaveCount(0);
    const csv = await ann.page.request.fetch('/api/v1/records/customer/export', {
      method: 'POST',
      headers: { 'X-CSRF-Token': ((await (await ann.page.request.get('/api/v1/me')).json()) as { csrf: string }).csrf },
      data: { format: 'csv' },
    });
    const text = await csv.text();
    expect(text).toContain(`甲${stamp}`);
    expect(text).not.toContain(`乙${stamp}`);
    expect(text).not.toContain(note);
  });

  await test.step('a record is shared with her, and the reason is told', async () => {
    await page.goto(`/o/customer/${his.id}`);
    await settled(page);
    await page
      .getByRole('button', { name: t('common:more') })
      .last()
      .click();
    await page.getByRole('menuitem', { name: t('records:page.share') }).click();
    const dialog = page.getByRole('dialog');
    await pick(dialog, t('rights:share.with'), `ann ${stamp}`, `ann ${stamp}`);
    await dialog.getByRole('button', { name: t('rights:share.add'), exact: true }).click();
    await expect(toast(page, t('rights:share.done'))).toBeVisible();
    await expect(dialog.getByRole('list')).toContainText(`ann ${stamp}`);
    await page.keyboard.press('Escape');
    await list(ann.page);
    await expect(ann.page.getByText(`乙${stamp}`)).toBeVisible();
    await ann.page.goto(`/o/customer/${his.id}`);
    await settled(ann.page);
    await ann.page
      .getByRole('button', { name: t('common:more') })
      .last()
      .click();
    await expect(ann.page.getByRole('menuitem', { name: t('common:delete') })).toHaveCount(0);
    await ann.page.getByRole('menuitem', { name: t('records:page.why') }).click();
    await expect(ann.page.getByRole('dialog')).toContainText(zh ? '共享给了ann' : /shared with ann/i);
    await shoot(ann.page, 'explain');
  });

  await test.step('the head sees what the department has', async () => {
    const boss = await as(browser, t, `head.${stamp}@guanxi.example`, locale);
    await list(boss.page);
    await expect(boss.page.getByText(`甲${stamp}`)).toBeVisible();
    await expect(boss.page.getByText(`乙${stamp}`)).toHaveCount(0);
    await boss.page.goto('/');
    await settled(boss.page);
    expect(boss.faults.list).toEqual([]);
  });
  expect(ann.faults.list).toEqual([]);
  for (const record of [hers, his]) await api.remove('customer', record.id);
});
