import fs from 'node:fs';
import path from 'node:path';
import { expectAccessible } from './axe';
import { settled, shoot, sidewaysOverflow } from './pages';
import { expect, type Page, pick, test, type Words } from './support';

const shared = path.resolve(import.meta.dirname, '../../../shared/data');
const file = path.join(shared, 'online-retail/online_retail.csv.gz');
const owner = { name: 'Olive Turner', email: 'olive@example.com', password: 'a-long-password-1' };

test.describe.configure({ mode: 'serial' });

async function signIn(page: Page): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/$/);
  await settled(page);
}

/** Orders, from the file, up to the columns. */
async function upload(page: Page, t: Words): Promise<void> {
  await page.getByRole('radio', { name: /^Orders/ }).check({ force: true });
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByRole('button', { name: t('imports:uploadAndMap') }).click();
  await expect(page.getByText(t('imports:mapped', { used: 8, count: 8 }))).toBeVisible({ timeout: 60_000 });
}

async function skipAnonymous(page: Page, t: Words): Promise<void> {
  await pick(page, t('imports:option.anonymous_customer'), t('imports:anonymous_customer.skip'));
}

async function run(page: Page, t: Words): Promise<void> {
  await page.getByRole('button', { name: t('imports:start') }).click();
  await expect(
    page.getByRole('progressbar', { name: t('imports:progressOf', { name: 'online_retail.csv.gz' }) }),
  ).toBeVisible();
  await shoot(page, 'import-running');
  await expect(page.getByRole('heading', { name: t('imports:headline.done'), exact: true })).toBeVisible({
    timeout: 240_000,
  });
}

test('the first visit makes the workspace and its administrator', async ({ page, t, faults }) => {
  faults.allow(/401 GET \/api\/v1\/me/, /422 POST \/api\/v1\/setup/);
  await page.goto('/');
  await expect(page).toHaveURL(/\/setup$/);
  await expect(page.getByRole('heading', { name: t('auth:setup.title') })).toBeVisible();
  await expectAccessible(page, 'the set-up');
  await shoot(page, 'setup');

  await page.getByLabel(t('auth:setup.workspace')).fill('Gifts & Co');
  await pick(page, t('auth:setup.timezone'), /London/, 'London');
  await pick(page, t('auth:setup.currency'), /^GBP/, 'GBP');
  await page.getByLabel(t('auth:setup.name')).fill(owner.name);
  await page.getByLabel(t('auth:email')).fill(owner.email);
  const password = page.getByRole('textbox', { name: t('auth:password') });
  const submit = page.getByRole('button', { name: t('auth:setup.submit') });

  await test.step('a short password is refused on the page', async () => {
    await password.fill('short');
    await submit.click();
    await expect(password).toHaveAttribute('aria-invalid', 'true');
    await expect(password).toHaveAccessibleDescription(new RegExp(t('auth:passwordRule', { count: 8 })));
  });
  await test.step('what the server refuses stands at its field', async () => {
    await password.fill(owner.password);
    await page.getByLabel(t('auth:email')).fill('olive..turner@example.com');
    await submit.click();
    await expect(page.getByLabel(t('auth:email'))).toHaveAttribute('aria-invalid', 'true');
    await expect(page).toHaveURL(/\/setup$/);
  });

  await page.getByLabel(t('auth:email')).fill(owner.email);
  await submit.click();
  await expect(page).toHaveURL(/\/$/);
  await expect(page.getByRole('heading', { name: t('home:empty.title') })).toBeVisible();
  await expect(page.getByRole('link', { name: t('home:empty.import') })).toBeVisible();
  await expectAccessible(page, 'the empty home');
  await shoot(page, 'empty-home');
  const me = await page.request.get('/api/v1/me');
  expect(await me.json()).toMatchObject({
    workspace: { name: 'Gifts & Co', timezone: 'Europe/London', currency: 'GBP' },
  });
});

test.describe('the Online Retail file', () => {
  test.skip(!fs.existsSync(shared), `no ${shared} beside the repository`);

  test('is recognised, imported and counted', async ({ page, t, faults }) => {
    test.setTimeout(300_000);
    faults.allow(/401 GET \/api\/v1\/me/);
    await signIn(page);
    await page.getByRole('link', { name: t('home:empty.import') }).click();
    await upload(page, t);

    await test.step('the columns are recognised', async () => {
      const fields = {
        InvoiceNo: 'Number',
        StockCode: 'SKU',
        Quantity: 'Quantity',
        UnitPrice: 'Unit price',
        CustomerID: 'External ID',
      };
      for (const [column, field] of Object.entries(fields)) {
        const target = page.getByRole('combobox', { name: t('imports:targetOf', { name: column }) }).first();
        await expect.soft(target, column).toHaveValue(new RegExp(field, 'i'));
      }
    });
    await test.step('options', async () => {
      await expect(page.getByRole('combobox', { name: t('imports:option.currency') })).toHaveValue('GBP');
      await expect(page.getByRole('combobox', { name: t('imports:option.timezone') })).toHaveValue('Europe/London');
      await skipAnonymous(page, t);
      await expectAccessible(page, 'the mapping');
      expect.soft(await sidewaysOverflow(page)).toEqual([]);
      await shoot(page, 'import-mapping');
    });
    await test.step('the run shows how far it is', () => run(page, t));
    await test.step('the result', async () => {
      await shoot(page, 'import-result');
      await expect(page.getByText('541,909', { exact: true })).toBeVisible();
      const orders = page.getByRole('row', { name: /^Orders/ });
      await expect(orders).toContainText('18,532');
    });
  });

  test('fills the home page', async ({ page, t, faults }) => {
    faults.allow(/401 GET \/api\/v1\/me/);
    await signIn(page);
    await page
      .getByRole('radiogroup', { name: t('home:range') })
      .getByText(t('home:span.730'))
      .click();
    await expect(page).toHaveURL(/days=730/);
    const card = (key: string) => page.getByRole('region', { name: t(`home:kpi.${key}`), exact: true });
    const revenue = card('revenue').getByRole('link').first();
    await expect(revenue).toHaveText('£8,911,408');
    await expect(revenue, 'to the penny').toHaveAttribute('title', '£8,911,407.90');
    await expect(card('orders').getByRole('link').first()).toHaveText('18,532');
    await expect(
      page.getByRole('link', { name: t('home:kpi.withPurchase', { count: 4338, shown: '4,338' }) }),
    ).toBeVisible();
    const cohorts = page.getByRole('region', { name: t('home:cohorts') }).getByRole('table');
    const first = cohorts.getByRole('row').nth(1);
    await expect(first.getByRole('rowheader')).toContainText('2010');
    await expect(first.getByRole('cell').first()).toHaveText('885');
    const sizes = async () => {
      const texts = await cohorts.locator('tbody tr td:nth-child(2)').allTextContents();
      return texts.reduce((sum, text) => sum + Number(text.replace(',', '')), 0);
    };
    await expect.poll(sizes, 'everybody who bought is in one cohort, also the last to arrive').toBe(4338);
    expect.soft(await sidewaysOverflow(page)).toEqual([]);
    await shoot(page, 'home');
  });

  test('gives the published means of recency, frequency and money', async ({ page, t, faults }) => {
    faults.allow(/401 GET \/api\/v1\/me/);
    await signIn(page);
    await page.goto('/settings/rfm');
    await settled(page);
    for (const figure of ['4,338', '93.06', '4.272', '£2,054.27'])
      await expect.soft(page.getByText(figure, { exact: true }), figure).toBeVisible();
    await expect(page.getByRole('heading', { name: t('settings:page.rfm') })).toBeVisible();
  });

  test('lists what it left out, and changes nothing when it comes again', async ({ page, t, faults }) => {
    test.setTimeout(300_000);
    faults.allow(/401 GET \/api\/v1\/me/);
    await signIn(page);
    await page.goto('/imports');
    await page.getByRole('link', { name: 'online_retail.csv.gz' }).click();
    await test.step('rows skipped by a rule stand apart from rows with errors, each with its file', async () => {
      await expect(page.getByRole('region', { name: t('imports:leftOut.skipped.title') })).toBeVisible();
      const waiting = page.waitForEvent('download');
      await page.getByRole('link', { name: t('imports:leftOut.skipped.download') }).click();
      const lines = fs
        .readFileSync(await (await waiting).path(), 'utf8')
        .trim()
        .split('\n');
      expect(lines.length, 'a line for each row that was left out').toBeGreaterThan(130_000);
    });
    await test.step('the same file again', async () => {
      await page.getByRole('link', { name: t('imports:another') }).click();
      await upload(page, t);
      await skipAnonymous(page, t);
      await run(page, t);
      await expect(page.getByText('541,909', { exact: true })).toBeVisible();
      const rows = page.getByRole('region', { name: t('imports:byObject') }).getByRole('row');
      await expect(rows.filter({ hasText: 'Orders' }).getByRole('cell')).toHaveText(['Orders', '0', '0', '18,532']);
      for (const row of (await rows.all()).slice(1))
        await expect(row.getByRole('cell'), 'nothing made, nothing changed').toHaveText([/./, '0', '0', /^[\d,]+$/]);
    });
  });
});
