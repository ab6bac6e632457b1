import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import type { Browser } from '@playwright/test';
import { demo } from '../playwright.config';
import { settled } from './pages';
import { expect, Faults, type Page, test, toast } from './support';

const at = `127.0.0.1:${Number(new URL(demo.url).port) + 3}`;
const issuer = `http://${at}`;
let provider: ChildProcess;

test.beforeAll(async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const command = ['run', './internal/platform/oidc/oidctest/serve', at, 'guanxi', 'the secret of the client'];
  // In a group of its own: what the command starts ends with it.
  provider = spawn('go', command, { cwd: root, detached: true, stdio: 'ignore' });
  await expect
    .poll(
      () =>
        fetch(`${issuer}/.well-known/openid-configuration`).then(
          (answer) => answer.status,
          () => 0,
        ),
      {
        timeout: 60_000,
      },
    )
    .toBe(200);
});
test.afterAll(() => {
  if (provider.pid !== undefined) process.kill(-provider.pid);
});

/** Who is at the provider. */
const tell = (claims: Record<string, unknown>) =>
  fetch(`${issuer}/tell`, { method: 'POST', body: JSON.stringify({ email_verified: true, ...claims }) });

async function outside(browser: Browser, locale: string): Promise<{ page: Page; faults: Faults }> {
  const context = await browser.newContext({ baseURL: demo.url, locale, storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  const faults = new Faults();
  faults.allow(/40[13] GET \/api\/v1\/me/, /403 POST \/api\/v1\/session/, /401 /, /404 GET \/favicon.ico/);
  faults.watch(page);
  return { page, faults };
}

test('single sign-on is set up, signs in, follows groups, and stands alone', async ({
  page,
  t,
  browser,
  api,
  locale,
}) => {
  test.setTimeout(120_000);
  const member = { email: 'sso@guanxi.example', name: '单点同事', password: 'four quiet words here', role: 'member' };
  await api.post('/users', member);
  const name = '公司账号';

  await test.step('an administrator sets it up', async () => {
    await page.goto('/settings/sso');
    await settled(page);
    await page.getByRole('button', { name: t('sso:add') }).click();
    const form = page.getByRole('dialog', { name: t('sso:add') });
    await form.getByLabel(t('sso:name')).first().fill(name);
    await form.getByLabel(t('sso:issuer')).fill(issuer);
    await form.getByRole('button', { name: t('sso:look.do') }).click();
    await expect(form.getByText(t('sso:look.end'))).toBeVisible();
    await form.getByLabel(t('sso:client')).fill('guanxi');
    await form.getByRole('textbox', { name: t('sso:secret') }).fill('the secret of the client');
    await form.getByRole('switch', { name: t('sso:create') }).check();
    await form.getByLabel(t('sso:claim')).fill('groups');
    await form.getByRole('button', { name: t('sso:ruleAdd') }).click();
    await form.getByRole('textbox', { name: t('sso:ruleValue'), exact: true }).fill('staff');
    await form.getByRole('switch', { name: t('sso:end') }).check();
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(toast(page, t('common:saved'))).toBeVisible();
    await expect(page.getByRole('row').filter({ hasText: name })).toContainText(t('sso:on'));
    await expect(page.getByText(`${demo.url}/sign-in/return`)).toBeVisible();
  });

  const their = await outside(browser, locale ?? 'zh-CN');
  const enter = async (who: string) => {
    await their.page.goto('/sign-in?next=/o/customer');
    await their.page.getByRole('button', { name: t('ways:provider.signIn', { name }) }).click();
    await their.page.getByRole('link', { name: `Continue as ${who}` }).click();
  };
  await test.step('a person who is known comes in, and goes where they wanted', async () => {
    await tell({ sub: 'p-1', email: member.email, name: 'Mei', groups: ['staff'] });
    await enter('Mei');
    await expect(their.page).toHaveURL(/\/o\/customer/);
    await their.page.goto('/settings/security');
    await expect(their.page.getByRole('row').filter({ hasText: t('ways:way.provider') })).toHaveCount(1);
  });
  await test.step('a session that ends is taken up again in a window apart, over the page', async () => {
    await their.page.goto('/settings/profile');
    const typed = their.page.getByLabel(t('settings:profile.name'), { exact: true });
    await typed.fill('还没保存的名字');
    await their.page.context().clearCookies();
    await their.page
      .getByRole('button', { name: t('common:save') })
      .first()
      .click();
    const again = their.page.getByRole('dialog', { name: t('auth:again.title') });
    const opened = their.page.context().waitForEvent('page');
    await again.getByRole('button', { name: t('ways:provider.signIn', { name }) }).click();
    const beside = await opened;
    await beside.getByRole('link', { name: 'Continue as Mei' }).click();
    await expect(again).toHaveCount(0);
    await expect(typed).toHaveValue('还没保存的名字');
    if (!beside.isClosed()) await beside.close();
  });
  await test.step('signing out signs out there', async () => {
    await their.page.getByRole('button', { name: member.name }).click();
    const left = their.page.waitForRequest((request) => request.url().startsWith(`${issuer}/end?`));
    await their.page.getByRole('menuitem', { name: t('shell:account.signOut') }).click();
    expect(new URL((await left).url()).searchParams.get('client_id')).toBe('guanxi');
    await expect(their.page.getByRole('button', { name: t('auth:signIn.submit'), exact: true })).toBeVisible();
  });
  await test.step('somebody new is added; an address that is not verified is not believed', async () => {
    await tell({ sub: 'p-2', email: 'boss@guanxi.example', email_verified: false, name: 'Eve', groups: ['staff'] });
    await enter('Eve');
    await expect(their.page.getByRole('alert')).toBeVisible();
    await their.page.getByRole('link', { name: t('ways:return.again') }).click();
    await tell({ sub: 'p-3', email: 'lin@guanxi.example', name: '林新', groups: ['staff'] });
    await enter('林新');
    await expect(their.page).toHaveURL(/\/o\/customer/);
    await page.goto('/settings/users');
    await expect(page.getByRole('row').filter({ hasText: 'lin@guanxi.example' })).toContainText(
      t('settings:role.member'),
    );
  });
  await test.step('alone: passwords of others are refused, administrators keep theirs', async () => {
    await page.goto('/settings/sso');
    await page.getByRole('switch', { name: t('sso:only.label') }).click();
    await page.getByRole('button', { name: t('sso:only.do') }).click();
    await expect(toast(page, t('common:saved'))).toBeVisible();
    await their.page.context().clearCookies();
    await their.page.goto('/sign-in');
    await their.page.getByLabel(t('auth:email')).fill(member.email);
    await their.page.getByRole('textbox', { name: t('auth:password') }).fill(member.password);
    await their.page.getByRole('button', { name: t('auth:signIn.submit'), exact: true }).click();
    await expect(their.page.getByRole('alert')).toBeVisible();
    await page.goto('/settings/security');
    await expect(page.getByRole('heading', { name: t('ways:passkey.title') })).toBeVisible();
  });
  await test.step('removed again', async () => {
    await api.json('PATCH', '/security', { provider_only: false });
    await page.goto('/settings/sso');
    await page.getByRole('button', { name, exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('sso:remove.do') })
      .click();
    await page
      .getByRole('dialog', { name: t('sso:remove.title', { name }) })
      .getByRole('button', { name: t('sso:remove.do') })
      .click();
    await expect(page.getByText(t('sso:none'))).toBeVisible();
  });
  expect(their.faults.list).toEqual([]);
  await their.page.context().close();
});
