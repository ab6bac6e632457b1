import { createHmac } from 'node:crypto';
import type { Browser } from '@playwright/test';
import { settled } from './pages';
import { enterPassword, type Person, outside as stranger } from './people';
import { expect, test, toast } from './support';

/** What an authenticator shows (RFC 6238): six digits for a base32 secret and an instant. */
function authenticator(secret: string, at = Date.now()): string {
  const bits = [...secret.replaceAll(' ', '')]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const sum = createHmac('sha1', key).update(step).digest();
  const offset = (sum.at(-1) ?? 0) & 0xf;
  return String((sum.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A browser of its own, in which sign-ins and codes may be refused. */
async function outside(browser: Browser): Promise<Person> {
  const person = await stranger(browser);
  person.faults.allow(/403 GET \/api\/v1\/me/, /422 POST \/api\/v1\/(session|me\/factor)/);
  return person;
}

test('a temporary password, a demanded second factor, and the ways to sign in with it', async ({
  page,
  t,
  browser,
  api,
}) => {
  test.setTimeout(120_000);
  const person = {
    email: 'trust@guanxi.example',
    password: 'given-by-admin-1',
    own: 'four quiet words here',
    name: '安全同事',
  };
  await page.goto('/settings/users');
  await page.getByRole('button', { name: t('settings:users.add') }).click();
  const dialog = page.getByRole('dialog', { name: t('settings:users.add') });
  await dialog.getByLabel(t('settings:users.email')).fill(person.email);
  await dialog.getByLabel(t('settings:users.name'), { exact: true }).fill(person.name);
  await dialog.getByRole('radio', { name: t('settings:role.manager') }).check();
  await dialog.getByRole('textbox', { name: t('settings:users.password') }).fill(person.password);
  await expect(dialog.getByRole('switch', { name: t('settings:users.temporary') })).toBeChecked();
  await dialog.getByRole('button', { name: t('settings:users.create') }).click();
  await expect(page.getByRole('row').filter({ hasText: person.name })).toContainText(t('settings:factor.off'));
  await page
    .getByRole('group', { name: t('settings:rules.roles') })
    .getByRole('checkbox', { name: t('settings:role.manager') })
    .check();
  await expect(toast(page, t('common:saved'))).toBeVisible();

  const theirs = await outside(browser);
  let secret = '';
  let codes: string[] = [];
  await test.step('the first sign-in asks for a password of their own, then for an authenticator', async () => {
    await enterPassword(theirs.page, t, person.email, person.password);
    await theirs.page.getByLabel(t('auth:own.label'), { exact: true }).fill('woaini1314');
    await theirs.page.getByRole('button', { name: t('auth:own.submit') }).click();
    await expect(theirs.page.getByRole('textbox', { name: t('auth:own.label') })).toHaveAttribute(
      'aria-invalid',
      'true',
    );
    await theirs.page.getByLabel(t('auth:own.label'), { exact: true }).fill(person.own);
    await theirs.page.getByRole('button', { name: t('auth:own.submit') }).click();
    await expect(theirs.page.getByRole('heading', { name: t('auth:stage.enrol') })).toBeVisible();
    const stopped = await theirs.page.request.get('/api/v1/records/customer?limit=1');
    expect(stopped.status(), 'nothing is open before the step is done').toBe(403);
    await theirs.page.getByRole('button', { name: t('auth:factor.next') }).click();
    await expect(theirs.page.getByRole('img', { name: t('auth:factor.picture') })).toBeVisible();
    await theirs.page.getByText(t('auth:factor.manual')).click();
    secret = (await theirs.page.getByTestId('factor-secret').textContent()) ?? '';
    await theirs.page.getByLabel(t('auth:code.label')).fill(authenticator(secret));
    await theirs.page.getByRole('button', { name: t('auth:factor.turnOn') }).click();
    const shown = theirs.page.getByRole('list', { name: t('auth:recovery.title') }).getByRole('listitem');
    await expect(shown).toHaveCount(10);
    codes = await shown.allTextContents();
    const saved = theirs.page.waitForEvent('download');
    await theirs.page.getByRole('button', { name: t('auth:recovery.download') }).click();
    expect((await saved).suggestedFilename()).toBe('guanxi-recovery-codes.txt');
    await theirs.page.getByRole('button', { name: t('auth:recovery.kept') }).click();
    await expect(theirs.page).toHaveURL(/\/$/);
  });

  const again = await outside(browser);
  await test.step('a code is good once; a recovery code helps', async () => {
    await enterPassword(again.page, t, person.email, person.own);
    const code = again.page.getByLabel(t('auth:code.label'));
    await code.fill('000000');
    await expect(code, 'a wrong code is cleared away').toHaveValue('');
    await expect(code).toHaveAttribute('aria-invalid', 'true');
    await again.page.getByRole('button', { name: t('auth:code.useRecovery') }).click();
    await again.page.getByLabel(t('auth:code.recovery')).fill(codes[0] ?? '');
    await again.page.getByRole('button', { name: t('auth:code.submit') }).click();
    await expect(again.page).toHaveURL(/\/$/);
  });

  await test.step('the page shows where they are signed in, and ends the others', async () => {
    await again.page.goto('/settings/security');
    await settled(again.page);
    await expect(again.page.getByText(t('settings:factor.left', { count: 9 }))).toBeVisible();
    await expect(again.page.getByText(t('settings:sessions.current'))).toHaveCount(1);
    await expect(again.page.getByText(t('settings:signIns.outcomes.wrong_code'))).toBeVisible();
    await again.page.getByRole('button', { name: t('settings:sessions.endOthers') }).click();
    await expect(toast(again.page, t('settings:sessions.ended'))).toBeVisible();
    expect((await theirs.page.request.get('/api/v1/me')).status()).toBe(401);
  });

  await test.step('an administrator resets the second factor', async () => {
    await page.reload();
    const row = page.getByRole('row').filter({ hasText: person.name });
    await expect(row).toContainText(t('settings:factor.on'));
    await page.getByRole('button', { name: t('settings:actionsOf', { name: person.name }) }).click();
    await page.getByRole('menuitem', { name: t('settings:users.help.factor') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('settings:users.help.factorConfirm') })
      .click();
    await expect(row).toContainText(t('settings:factor.off'));
    expect((await again.page.request.get('/api/v1/me')).status()).toBe(401);
  });
  await api.json('PATCH', '/security', { factor_roles: [] });
  expect([...theirs.faults.list, ...again.faults.list]).toEqual([]);
  await theirs.page.context().close();
  await again.page.context().close();
});

test('a person turns two-step sign-in on and off again', async ({ page, t, browser, api }) => {
  const person = { email: 'both@guanxi.example', password: 'four quiet words too', name: '两步同事' };
  await api.post('/users', { ...person, role: 'member' });
  const own = await outside(browser);
  await enterPassword(own.page, t, person.email, person.password);
  await expect(own.page).toHaveURL(/\/$/);
  await own.page.goto('/settings/security');
  await own.page.getByRole('button', { name: t('settings:factor.setup') }).click();
  const dialog = own.page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: t('auth:factor.password') }).fill(person.password);
  await dialog.getByRole('button', { name: t('auth:factor.next') }).click();
  await dialog.getByText(t('auth:factor.manual')).click();
  const secret = (await dialog.getByTestId('factor-secret').textContent()) ?? '';
  await dialog.getByLabel(t('auth:code.label')).fill(authenticator(secret));
  await dialog.getByRole('button', { name: t('auth:factor.turnOn') }).click();
  await expect(dialog.getByRole('listitem')).toHaveCount(10);
  const codes = await dialog.getByRole('listitem').allTextContents();
  await dialog.getByRole('button', { name: t('auth:recovery.kept') }).click();
  await expect(own.page.getByText(t('settings:factor.left', { count: 10 }))).toBeVisible();

  await own.page.getByRole('button', { name: t('settings:factor.turnOff'), exact: true }).click();
  const off = own.page.getByRole('dialog', { name: t('settings:factor.offTitle') });
  await off.getByRole('textbox', { name: t('settings:password.current') }).fill(person.password);
  await off.getByLabel(t('auth:code.either')).fill(codes[1] ?? '');
  await off.getByRole('button', { name: t('settings:factor.turnOff') }).click();
  await expect(own.page.getByRole('button', { name: t('settings:factor.setup') })).toBeVisible();
  expect(own.faults.list).toEqual([]);
  await own.page.context().close();
  await page.goto('/settings/signins');
  await expect(page.getByRole('row').filter({ hasText: person.name })).toContainText(t('settings:signIns.outcomes.ok'));
});
