import { expectAccessible } from './axe';
import { expect, test } from './support';

test('a file with a title is matched, checked, imported, and its bad row is corrected', async ({
  page,
  t,
  api,
  locale,
}) => {
  const head = locale?.startsWith('zh') ? '会员编号,姓名,性别,手机' : 'Member number,Name,Gender,Phone';
  const zh = locale?.startsWith('zh') === true;
  test.setTimeout(60_000);
  const stamp = Date.now().toString(36);
  const file = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
  await page.goto('/imports/new?object=customer');
  await expect(page.getByRole('link', { name: t('importing:template') })).toBeVisible();
  await page
    .locator('input[type=file]')
    .setInputFiles(
      file(
        `e2e-${stamp}.csv`,
        `2026 ${stamp},,,\n${head}\nE${stamp}1,甲${stamp},先生,13811110001\nE${stamp}2,乙${stamp},女,not a phone\n`,
      ),
    );
  await page.getByRole('button', { name: t('imports:uploadAndMap') }).click();

  // The title above the table is left out, and the texts of a choice get their options.
  await page.getByRole('button', { name: t('importing:settingsOf', { name: zh ? '性别' : 'Gender' }) }).click();
  await page.getByRole('button', { name: t('importing:matchOptions') }).click();
  const choice = page.getByRole('combobox', { name: t('importing:matchOf', { text: '先生' }) });
  await choice.click();
  await page.getByRole('option', { name: t('importing:noValue') }).click();
  await page.getByRole('button', { name: t('importing:apply') }).click();
  await expectAccessible(page, 'import mapping');

  await page.getByRole('button', { name: t('imports:dryRun'), exact: true }).click();
  await expect(page.getByRole('heading', { name: t('imports:checkResult') })).toBeVisible();
  await page.getByRole('button', { name: t('imports:start'), exact: true }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('imports:start') })
    .click();
  await expect(page.getByRole('heading', { name: t('imports:headline.doneWithErrors') })).toBeVisible();

  await page.getByRole('button', { name: t('importing:correct') }).click();
  const cell = page.getByRole('textbox', { name: t('importing:cellOf', { row: 4, name: zh ? '手机' : 'Phone' }) });
  await expect(cell).toHaveValue('not a phone');
  await cell.fill('13811110002');
  await expectAccessible(page, 'import correction');
  await page.getByRole('button', { name: t('importing:retry', { count: 1 }) }).click();
  await expect(page.getByRole('heading', { name: t('imports:headline.done'), exact: true })).toBeVisible();
  const made = await api.post<{ items: { title: string }[] }>('/records/customer/query', {
    where: { field: 'external_id', op: 'in', value: [`E${stamp}1`, `E${stamp}2`] },
  });
  expect(made.items.map(({ title }) => title).sort()).toEqual([`乙${stamp}`, `甲${stamp}`].sort());

  await page.goto(`/imports?q=${stamp}&by=me`);
  await expect(page.getByRole('link', { name: `e2e-${stamp}.csv` })).toBeVisible();
  await expect(page.getByRole('link', { name: `e2e-${stamp}-retry.csv` })).toBeVisible();
});
