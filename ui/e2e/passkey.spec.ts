import type { Browser, CDPSession } from '@playwright/test';
import { demo } from '../playwright.config';
import { settled } from './pages';
import { expect, Faults, type Page, test, toast, type Words } from './support';

/** Browsers make passkeys for names alone, so the program is opened by one. */
const named = demo.url.replace('127.0.0.1', 'localhost');

async function outside(browser: Browser, locale: string): Promise<{ page: Page; faults: Faults; cdp: CDPSession }> {
  const context = await browser.newContext({ baseURL: named, locale, storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  const faults = new Faults();
  faults.allow(/40[13] GET \/api\/v1\/me/, /foreign: http:\/\/localhost/, /422 POST/);
  faults.watch(page);
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  return { page, faults, cdp };
}

/** A device that checks who holds it, as a phone does with a finger. */
async function device(cdp: CDPSession): Promise<string> {
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return authenticatorId;
}

async function enterPassword(page: Page, t: Words, email: string, password: string): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel(t('auth:email')).fill(email);
  await page.getByRole('textbox', { name: t('auth:password') }).fill(password);
  await page.getByRole('button', { name: t('auth:signIn.submit'), exact: true }).click();
}

test('a passkey is made, signs in alone and as the second step, and is revoked', async ({
  t,
  browser,
  api,
  locale,
}) => {
  const person = { email: 'passkey@guanxi.example', password: 'four quiet words here', name: '通行同事' };
  await api.post('/users', { ...person, role: 'member' });
  const { page, faults, cdp } = await outside(browser, locale ?? 'zh-CN');
  const phone = await device(cdp);
  await enterPassword(page, t, person.email, person.password);
  await expect(page).toHaveURL(/\/$/);
  await page.goto('/settings/security');
  await settled(page);

  await test.step('made, with recovery codes', async () => {
    await page.getByRole('button', { name: t('ways:passkey.add') }).click();
    const dialog = page.getByRole('dialog', { name: t('ways:passkey.add') });
    await dialog.getByRole('textbox', { name: t('ways:passkey.password') }).fill('not the password');
    await dialog.getByLabel(t('ways:passkey.name')).fill('我的手机');
    await dialog.getByRole('button', { name: t('ways:passkey.make') }).click();
    const password = dialog.getByRole('textbox', { name: t('ways:passkey.password') });
    await expect(password).toHaveAttribute('aria-invalid', 'true');
    await password.fill(person.password);
    await dialog.getByRole('button', { name: t('ways:passkey.make') }).click();
    await expect(page.getByRole('list', { name: t('auth:recovery.title') }).getByRole('listitem')).toHaveCount(10);
    await page.getByRole('button', { name: t('auth:recovery.kept') }).click();
    await expect(toast(page, t('ways:passkey.added'))).toBeVisible();
    await expect(page.getByRole('list', { name: t('ways:passkey.title') })).toContainText('我的手机');
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: phone });
    expect(credentials).toHaveLength(1);
    expect(credentials[0]?.rpId).toBe('localhost');
  });

  await test.step('alone', async () => {
    await page.context().clearCookies();
    await page.goto('/sign-in');
    await page.getByRole('button', { name: t('ways:passkey.signIn') }).click();
    await expect(page).toHaveURL(/\/$/);
    await page.goto('/settings/security');
    await expect(
      page
        .getByRole('row')
        .filter({ hasText: t('ways:way.passkey') })
        .first(),
    ).toContainText(t('settings:signIns.outcomes.ok'));
  });

  await test.step('as the second step', async () => {
    await page.context().clearCookies();
    await enterPassword(page, t, person.email, person.password);
    await expect(page.getByText(t('ways:passkey.step'))).toBeVisible();
    await page.getByRole('button', { name: t('ways:passkey.useRecovery') }).click();
    await expect(page.getByLabel(t('auth:code.recovery'))).toBeVisible();
    await page.getByRole('button', { name: t('ways:passkey.usePasskey') }).click();
    await page.getByRole('button', { name: t('ways:passkey.show') }).click();
    await expect(page).toHaveURL(/\/$/);
  });

  await test.step('revoked: it signs nobody in', async () => {
    await page.goto('/settings/security');
    await page.getByRole('button', { name: t('ways:passkey.renameOf', { name: '我的手机' }) }).click();
    await page.getByRole('dialog').getByLabel(t('ways:passkey.name')).fill('旧手机');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('ways:passkey.save') })
      .click();
    await page.getByRole('button', { name: t('ways:passkey.revokeOf', { name: '旧手机' }) }).click();
    const dialog = page.getByRole('dialog', { name: t('ways:passkey.revokeTitle', { name: '旧手机' }) });
    await dialog.getByRole('textbox', { name: t('ways:passkey.password') }).fill(person.password);
    await dialog.getByRole('button', { name: t('ways:passkey.revoke') }).click();
    await expect(toast(page, t('ways:passkey.revoked'))).toBeVisible();
    await expect(page.getByText(t('ways:passkey.about'))).toBeVisible();
    await page.context().clearCookies();
    await page.goto('/sign-in');
    await expect(page.getByRole('button', { name: t('auth:signIn.submit'), exact: true })).toBeVisible();
    await expect(page.getByRole('button', { name: t('ways:passkey.signIn') })).toHaveCount(0);
  });
  expect(faults.list).toEqual([]);
  await page.context().close();
});
