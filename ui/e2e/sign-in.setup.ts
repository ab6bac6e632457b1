import { demo } from '../playwright.config';
import { expect, test } from './support';

test('a wrong password is refused, the right one signs in', async ({ page, context, t, faults }) => {
  faults.allow(/401 GET \/api\/v1\/me/, /401 POST \/api\/v1\/session/);
  await page.goto('/o/customer');
  await expect(page.getByRole('heading', { name: t('auth:signIn.title') })).toBeVisible();
  await page.getByLabel(t('auth:email')).fill(demo.email);
  const password = page.getByRole('textbox', { name: t('auth:password') });
  await password.fill('wrong-password-1');
  await page.getByRole('button', { name: t('auth:signIn.submit') }).click();
  await expect(page.getByRole('alert')).toHaveText(t('auth:signIn.badCredentials'));

  await password.fill(demo.password);
  await page.getByRole('button', { name: t('auth:signIn.submit') }).click();
  await expect(page, 'where one wanted to go').toHaveURL(/\/o\/customer$/);
  await expect(page.getByRole('grid')).toBeVisible();
  await context.storageState({ path: process.env.GUANXI_E2E_SESSION });
});
