import { readFile } from 'node:fs/promises';
import { settled } from './pages';
import { expect, test, toast } from './support';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

test('a file is added to a record, seen, downloaded, removed and taken back', async ({ page, t, api }) => {
  const customer = await api.create('customer', { name: `附件客户${Date.now()}` });
  await page.goto(`/o/customer/${customer.id}`);
  await settled(page);
  const composer = page.getByRole('region', { name: t('work:add'), exact: true });
  const entry = page.getByRole('listitem').filter({ hasText: '量体.png' });

  await test.step('choose it', async () => {
    const chooser = page.waitForEvent('filechooser');
    await composer.getByRole('button', { name: t('files:file'), exact: true }).click();
    await (await chooser).setFiles({ name: '量体.png', mimeType: 'image/png', buffer: PIXEL });
    await expect(toast(page, t('files:added', { name: '量体.png' }))).toBeVisible();
    const picture = entry.getByRole('img', { name: '量体.png' });
    await expect(picture).toBeVisible();
    await expect
      .poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth), {
        message: 'the preview is a picture',
      })
      .toBe(1);
  });
  await test.step('drop another one onto the page', async () => {
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['合同'], '合同.txt', { type: 'text/plain' }));
      return transfer;
    });
    await page.dispatchEvent('body', 'dragover', { dataTransfer: data });
    await expect(page.getByText(t('files:dropHere', { name: customer.title }))).toBeVisible();
    await page.dispatchEvent('body', 'drop', { dataTransfer: data });
    await expect(page.getByRole('link', { name: '合同.txt', exact: true })).toBeVisible();
  });
  await test.step('download it', async () => {
    const download = page.waitForEvent('download');
    await entry.getByRole('link', { name: t('files:download', { name: '量体.png' }) }).click();
    const saved = await download;
    expect(saved.suggestedFilename()).toBe('量体.png');
    expect(Buffer.compare(await readFile(await saved.path()), PIXEL)).toBe(0);
  });
  await test.step('remove it and take it back', async () => {
    await entry.getByRole('button', { name: t('files:more', { name: '量体.png' }) }).click();
    await page.getByRole('menuitem', { name: t('common:delete') }).click();
    await expect(entry.getByRole('img', { name: '量体.png' })).toBeHidden();
    await toast(page, t('files:removed', { name: '量体.png' }))
      .getByRole('button', { name: t('common:undo') })
      .click();
    await expect(entry.getByRole('img', { name: '量体.png' })).toBeVisible();
    const list = await api.get<{ items: { name: string }[] }>(`/records/customer/${customer.id}/files`);
    expect(list.items.map((file) => file.name)).toEqual(['合同.txt', '量体.png']);
  });
});
