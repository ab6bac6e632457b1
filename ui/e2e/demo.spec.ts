import { expectAccessible } from './axe';
import { settled, shoot, sidewaysOverflow } from './pages';
import { expect, test } from './support';

const owner = { name: '陈一', email: 'chen@example.com', password: 'yi-ge-chang-mima-1' };

test('an empty workspace offers the demo company, shows how far it is, and is full when it is done', async ({
  page,
  t,
  faults,
}) => {
  test.setTimeout(180_000);
  faults.allow(/401 GET \/api\/v1\/me/);
  await page.goto('/setup');
  await test.step('what is missing is said on the page, in its language', async () => {
    await page.getByRole('button', { name: t('auth:setup.submit') }).click();
    await expect(page.getByLabel(t('auth:setup.workspace'))).toBeFocused();
    await expect(page.getByLabel(t('auth:setup.workspace'))).toHaveAccessibleDescription(
      t('auth:setup.workspaceNeeded'),
    );
    await expect(page.getByLabel(t('auth:email'))).toHaveAccessibleDescription(t('auth:emailNeeded'));
  });
  await page.getByLabel(t('auth:setup.workspace')).fill('好衣服');
  await page.getByLabel(t('auth:setup.name')).fill(owner.name);
  await page.getByLabel(t('auth:email')).fill(owner.email);
  await page.getByRole('textbox', { name: t('auth:password') }).fill(owner.password);
  await page.getByRole('button', { name: t('auth:setup.submit') }).click();

  const offer = page.getByRole('region', { name: t('home:empty.demo') });
  await expect(offer).toBeVisible();
  await expect(page.getByRole('link', { name: t('home:empty.import') })).toBeVisible();
  expect(await sidewaysOverflow(page)).toEqual([]);
  await offer.getByText('1,000', { exact: true }).click();
  await offer.getByRole('button', { name: t('home:demo.load') }).click();
  await expect(page.getByRole('progressbar', { name: t('home:demo.loading') })).toBeVisible();
  await expectAccessible(page, 'the load');
  await shoot(page, 'demo-loading');

  const people = page.getByRole('link', { name: t('home:kpi.customers', { count: 1000, shown: '1,000' }) });
  await expect(people).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('progressbar', { name: t('home:demo.loading') })).toHaveCount(0);
  await settled(page);
  await expect(page.getByRole('link', { name: /[1-9]/ }).first()).toBeVisible();
  await shoot(page, 'demo-home');
  await page.goto('/o/customer');
  await expect(page.getByText(t('records:foot.total', { count: 1000, text: '1,000' }))).toBeVisible();
});
