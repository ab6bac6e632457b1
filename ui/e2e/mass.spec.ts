import fs from 'node:fs';
import { settled } from './pages';
import { expect, test } from './support';

const toast = (page: import('./support').Page, text: string) => page.getByRole('status').filter({ hasText: text });

test('everything that fits is edited with a preview, undone, exported, and the file opens', async ({
  page,
  t,
  api,
}) => {
  const where = { field: 'note', op: '=', value: '批量编辑试验' };
  const count = async () =>
    (await api.post<{ count: number }>('/records/customer/count', { where, exact: true })).count;
  const all = (await api.post<{ count: number }>('/records/customer/count', { exact: true })).count;
  const text = all.toLocaleString('en');
  await page.goto('/o/customer');
  await settled(page);
  await page.getByRole('checkbox', { name: t('records:select.loaded') }).click();
  const bulk = page.getByRole('region', { name: t('records:bulk.label') });
  await test.step('all of them', async () => {
    await bulk.getByRole('button', { name: t('records:bulk.all', { count: all, text }) }).click();
    await expect(bulk.getByText(t('records:bulk.selected', { count: all, text }))).toBeVisible();
  });
  await test.step('a field, a preview, a job', async () => {
    await bulk.getByRole('button', { name: t('jobs:bar.edit') }).click();
    const dialog = page.getByRole('dialog', { name: t('jobs:dialog.edit', { text }) });
    await dialog.getByRole('combobox', { name: t('jobs:dialog.field') }).click();
    await page.getByRole('option', { name: '备注', exact: true }).click();
    await dialog.getByRole('textbox', { name: t('jobs:dialog.value') }).fill('批量编辑试验');
    const preview = dialog.getByRole('region', { name: t('jobs:preview.title') });
    await expect(preview.getByText(t('jobs:preview.count', { count: all, text }))).toBeVisible();
    await expect(preview.getByRole('listitem').first()).toContainText('批量编辑试验');
    await dialog.getByRole('button', { name: t('jobs:dialog.apply', { text }) }).click();
    await expect(toast(page, t('jobs:said.edit', { count: text }))).toBeVisible();
    expect(await count()).toBe(all);
  });
  await test.step('undone', async () => {
    await toast(page, t('jobs:said.edit', { count: text }))
      .getByRole('button', { name: t('common:undo') })
      .click();
    await expect(toast(page, t('jobs:said.undone', { count: text }))).toBeVisible();
    expect(await count()).toBe(0);
  });
  await test.step('exported', async () => {
    await page
      .getByRole('main')
      .getByRole('button', { name: t('common:more') })
      .first()
      .click();
    await page.getByRole('menuitem', { name: t('records:list.export') }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('CSV', { exact: true }).click();
    await dialog.getByRole('button', { name: t('jobs:export.start') }).click();
    const ready = toast(page, t('jobs:said.export', { count: text }));
    await expect(ready).toBeVisible();
    const downloading = page.waitForEvent('download');
    await ready.getByRole('button', { name: t('jobs:download') }).click();
    const file = await (await downloading).path();
    const content = fs.readFileSync(file, 'utf8');
    expect(content.startsWith('\ufeffid,')).toBe(true);
    expect(content.trim().split('\n').length).toBeGreaterThan(all);
    expect(content).toMatch(/1\d{2}\*{4}\d{4}/);
  });
  await test.step('all of it is in the history', async () => {
    await page.goto('/jobs');
    await expect(page.getByRole('heading', { level: 1, name: t('jobs:title') })).toBeVisible();
    const rows = page.getByRole('table').getByRole('row');
    await expect(rows.nth(1)).toContainText(t('jobs:did.export', { format: 'CSV' }));
    await expect(rows.nth(2)).toContainText(t('jobs:status.undone'));
    await rows.nth(1).click();
    await expect(page.getByRole('dialog').getByRole('link', { name: t('jobs:download') })).toBeVisible();
  });
});
