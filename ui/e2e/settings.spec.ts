import { demo } from '../playwright.config';
import { settled } from './pages';
import { enterPassword, outside } from './people';
import { expect, test, toast } from './support';

test('a person who may only look', async ({ page, t, browser, locale }) => {
  test.setTimeout(90_000);
  const language = locale?.startsWith('zh') ? 'zh' : 'en';
  const person = {
    email: `reader-${language}@guanxi.example`,
    password: 'reader-password-1',
    name: `只读同事 ${language}`,
  };
  await test.step('is added', async () => {
    await page.goto('/settings/users');
    await page.getByRole('button', { name: t('settings:users.add') }).click();
    const dialog = page.getByRole('dialog', { name: t('settings:users.add') });
    await dialog.getByLabel(t('settings:users.email')).fill(person.email);
    await dialog.getByLabel(t('settings:users.name'), { exact: true }).fill(person.name);
    await dialog.getByRole('radio', { name: t('settings:role.readonly') }).check();
    await dialog.getByRole('textbox', { name: t('settings:users.password') }).fill(person.password);
    await dialog.getByRole('switch', { name: t('settings:users.temporary') }).click();
    await dialog.getByRole('button', { name: t('settings:users.create') }).click();
    await expect(page.getByRole('row').filter({ hasText: person.name })).toContainText(t('settings:role.readonly'));
  });

  const other = await outside(browser, locale);
  const { page: theirs, faults } = other;
  await test.step('signs in', async () => {
    await enterPassword(theirs, t, person.email, person.password);
    await expect(theirs).toHaveURL(/\/$/);
  });
  await test.step('sees lists and records without anything to write with', async () => {
    await theirs.goto('/o/customer');
    const first = theirs.getByRole('grid').getByRole('link').first();
    await expect(first).toBeVisible();
    await expect(theirs.getByRole('button', { name: t('records:list.new'), exact: true })).toHaveCount(0);
    await theirs.getByRole('grid').getByRole('gridcell', { name: /省|市/ }).first().dblclick();
    await expect(theirs.getByRole('grid').getByRole('textbox')).toHaveCount(0);
    await theirs.getByRole('checkbox', { name: t('records:select.loaded') }).click();
    const bulk = theirs.getByRole('region', { name: t('records:bulk.label') });
    await expect(bulk.getByRole('button', { name: t('records:bulk.tag') })).toHaveCount(0);
    await expect(bulk.getByRole('button', { name: t('common:delete') })).toHaveCount(0);
    await theirs.goto((await first.getAttribute('href')) ?? '');
    await settled(theirs);
    await expect(theirs.getByRole('button', { name: new RegExp(t('records:edit.field', { name: '' })) })).toHaveCount(
      0,
    );
    await expect(theirs.getByRole('button', { name: new RegExp(`^${t('fields:reveal')}`) })).toHaveCount(0);
  });
  await test.step('finds no way to build, import or manage', async () => {
    await theirs.goto('/segments');
    await settled(theirs);
    await expect(theirs.getByRole('link', { name: t('segments:new') })).toHaveCount(0);
    await theirs.goto('/imports');
    await settled(theirs);
    await expect(theirs.getByRole('link', { name: t('imports:new') })).toHaveCount(0);
    await theirs.goto('/classifications/lifecycle');
    await settled(theirs);
    await expect(theirs.getByRole('button', { name: t('common:save'), exact: true })).toHaveCount(0);
    await theirs.goto('/settings/profile');
    await settled(theirs);
    const pages = theirs.getByRole('navigation', { name: t('settings:title') });
    for (const key of ['users', 'apikeys', 'audit'])
      await expect(pages.getByRole('link', { name: t(`settings:page.${key}`) })).toHaveCount(0);
    for (const address of ['/segments/new', '/imports/new', '/settings/users']) {
      await theirs.goto(address);
      await expect(theirs.getByRole('heading', { name: t('common:empty.no_permission.title') })).toBeVisible();
    }
  });
  await test.step('is refused by the server too', async () => {
    const answer = await other.api.call('POST', '/records/customer', { fields: { name: '不应创建' } });
    expect(answer.status()).toBe(403);
    expect((await other.api.call('GET', '/apikeys')).status()).toBe(403);
  });
  expect(faults.list, 'none of it failed quietly').toEqual([]);

  await test.step('is signed out at once when disabled', async () => {
    await page.getByRole('button', { name: t('settings:actionsOf', { name: person.name }) }).click();
    await page.getByRole('menuitem', { name: t('settings:users.disable') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('settings:users.disable') })
      .click();
    await expect(page.getByRole('row').filter({ hasText: person.name })).toContainText(t('settings:users.disabled'));
    expect((await theirs.request.get('/api/v1/me')).status()).toBe(401);
  });
  await other.context.close();
});

test('a key opens the API until it is revoked', async ({ page, t, playwright, locale }) => {
  const name = locale?.startsWith('zh') ? '网店同步' : 'Shop';
  await page.goto('/settings/apikeys');
  await page.getByRole('button', { name: t('settings:apikeys.add') }).click();
  const dialog = page.getByRole('dialog', { name: t('settings:apikeys.add') });
  await dialog.getByRole('textbox', { name: t('settings:apikeys.name') }).fill(name);
  await dialog.getByRole('button', { name: t('common:create') }).click();
  const made = page.getByRole('dialog', { name: t('settings:apikeys.made') });
  const key = (await made.getByText(/^gxk_/).textContent()) ?? '';
  await made.getByRole('button', { name: t('settings:apikeys.kept') }).click();
  await expect(page.getByText(key), 'the key is shown once').toHaveCount(0);

  const outside = await playwright.request.newContext({
    baseURL: demo.url,
    extraHTTPHeaders: { Authorization: `Bearer ${key}` },
  });
  const list = () => outside.get('/api/v1/records/customer?limit=1');
  const answer = await list();
  expect(answer.status()).toBe(200);
  expect(((await answer.json()) as { items: unknown[] }).items).toHaveLength(1);
  const write = await outside.post('/api/v1/records/customer', { data: { fields: { name: '越权' } } });
  expect(write.status(), 'a key to read does not write').toBe(403);

  await page.getByRole('button', { name: t('settings:apikeys.revokeOf', { name }) }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('settings:apikeys.revoke') })
    .click();
  await expect(toast(page, t('settings:apikeys.revoked'))).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: name })).toContainText(t('settings:apikeys.isRevoked'));
  expect((await list()).status()).toBe(401);
  await outside.dispose();
});

test('an assistant is connected with what the settings show', async ({ page, t, playwright }) => {
  await page.goto('/settings/apikeys');
  const guide = page.locator('section').filter({ has: page.getByRole('heading', { name: t('assistants:title') }) });
  const address =
    (await guide
      .getByRole('figure', { name: t('assistants:address') })
      .locator('pre')
      .textContent()) ?? '';
  expect(address.trim()).toBe(`${demo.url}/mcp`);
  await page.getByRole('button', { name: t('settings:apikeys.add') }).click();
  const dialog = page.getByRole('dialog', { name: t('settings:apikeys.add') });
  await dialog.getByRole('textbox', { name: t('settings:apikeys.name') }).fill('助手');
  await dialog.getByRole('button', { name: t('common:create') }).click();
  const made = page.getByRole('dialog', { name: t('settings:apikeys.made') });
  await made.getByText(t('assistants:withKey')).click();
  await made.getByText(t('assistants:name.desktop'), { exact: true }).click();
  const text =
    (await made
      .getByRole('figure', { name: t('assistants:settings') })
      .locator('pre')
      .textContent()) ?? '';
  await made.getByRole('button', { name: t('settings:apikeys.kept') }).click();

  const { url, headers } = (
    JSON.parse(text) as { mcpServers: { guanxi: { url: string; headers: Record<string, string> } } }
  ).mcpServers.guanxi;
  const outside = await playwright.request.newContext();
  const ask = (method: string, params: unknown) =>
    outside.post(url, {
      headers: { ...headers, Accept: 'application/json, text/event-stream' },
      data: { jsonrpc: '2.0', id: 1, method, params },
    });
  const call = await ask('tools/call', { name: 'query_records', arguments: { object: 'customer', limit: 2 } });
  expect(call.status()).toBe(200);
  const answer = (await call.json()) as { result: { structuredContent: { items: unknown[] } } };
  expect(answer.result.structuredContent.items).toHaveLength(2);
  const tools = JSON.stringify(await (await ask('tools/list', {})).json());
  expect(tools).toContain('"query_records"');
  expect(tools, 'a key to read writes nothing').not.toContain('"create_record"');
  await outside.dispose();

  await guide.getByText(t('assistants:name.claudeCode'), { exact: true }).click();
  await guide.getByRole('button', { name: t('assistants:copyOf', { name: t('assistants:command') }) }).click();
  await expect(toast(page, t('common:copied'))).toBeVisible();
});

test('language and look are changed at once and kept', async ({ page, t, locale }) => {
  await page.goto('/settings/profile');
  await settled(page);
  const root = page.locator('html');
  const [own, other] = locale?.startsWith('zh') ? ['zh-CN', 'en'] : ['en', 'zh-CN'];
  await expect(root).toHaveAttribute('lang', own ?? '');
  await page
    .getByRole('radiogroup', { name: t('settings:profile.theme') })
    .getByText(t('settings:theme.dark'))
    .click();
  await expect(root).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await page.reload();
  await expect(root).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await page.getByRole('button', { name: own === 'en' ? '中文' : 'English' }).click();
  await expect(root).toHaveAttribute('lang', other ?? '');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(own === 'en' ? '设置' : 'Settings');
});
