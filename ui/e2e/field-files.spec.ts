import { deflateSync } from 'node:zlib';
import { addField, nameIn, startField } from './fields';
import { settled } from './pages';
import { expect, listOf, test, toast } from './support';

/** A picture of one colour. */
function picture(side: number, colour: readonly [number, number, number]): Buffer {
  const row = Buffer.concat([Buffer.from([0]), Buffer.concat(Array.from({ length: side }, () => Buffer.from(colour)))]);
  const crc = (data: Buffer) => {
    let sum = 0xffffffff;
    for (const byte of data) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
    }
    return (sum ^ 0xffffffff) >>> 0;
  };
  const chunk = (kind: string, body: Buffer) => {
    const out = Buffer.alloc(12 + body.length);
    out.writeUInt32BE(body.length, 0);
    out.write(kind, 4, 'latin1');
    body.copy(out, 8);
    out.writeUInt32BE(crc(out.subarray(4, 8 + body.length)), 8 + body.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.concat(Array.from({ length: side }, () => row)));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

test('a field of pictures is made, filled, seen in the list, as cards and on the record, and exported', async ({
  page,
  t,
  api,
  faults,
  locale,
}) => {
  test.setTimeout(60_000);
  const zh = locale?.startsWith('zh') === true;
  const key = zh ? 'dress_zh' : 'dress_en';
  const label = zh ? '试穿照片' : 'Fitting photos';
  faults.allow(/404 DELETE \/api\/v1\/objects/);
  await api.call('DELETE', `/objects/${key}`);
  const made = await api.call('POST', '/objects', { key, label: { 'zh-CN': '礼服', en: 'Dress' } });
  if (!made.ok()) await api.post(`/objects/${key}/restore`, {});
  for (const record of await api.find(key)) await api.remove(key, record.id);
  const files = [
    { name: '正面.png', mimeType: 'image/png', buffer: picture(600, [200, 60, 80]) },
    { name: '背面.png', mimeType: 'image/png', buffer: picture(500, [40, 120, 160]) },
  ];

  await test.step('make the field', async () => {
    const fields = await api.get<{ fields: { key: string; label: Record<string, string> }[] }>(`/objects/${key}`);
    if (fields.fields.some((field) => Object.values(field.label).includes(label))) return;
    await page.goto(`/settings/objects/${key}`);
    const panel = await startField(page, t, 'image', label, locale);
    await panel.getByLabel(t('shape:files.mostPictures')).fill('4');
    await expect(panel.getByRole('textbox', { name: nameIn(t, 'shape:field.name', locale), exact: true })).toHaveValue(
      label,
    );
    await addField(page, t, panel, label);
  });

  await test.step('upload two pictures in a new record', async () => {
    await page.goto(`/o/${key}`);
    await settled(page);
    await page
      .getByRole('button', { name: t('records:list.new'), exact: true })
      .first()
      .click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox').first().fill('星河');
    const chooser = page.waitForEvent('filechooser');
    await form.getByRole('button', { name: t('filefield:choosePicture') }).click();
    await (await chooser).setFiles(files);
    await expect(form.getByRole('img', { name: '背面.png' })).toBeVisible();
    await form.getByRole('button', { name: t('filefield:up', { name: '背面.png' }) }).click();
    await form.getByRole('button', { name: t('filefield:remove', { name: '正面.png' }) }).click();
    await form.getByRole('button', { name: t('filefield:undo') }).click();
    await expect(form.getByRole('img', { name: '正面.png' })).toBeVisible();
    await form.getByRole('button', { name: t('common:create'), exact: true }).click();
    await expect(form).toHaveCount(0);
  });
  const [record] = await api.find(key);
  if (record === undefined) throw new Error('nothing was made');
  const field = Object.keys(record.fields).find((each) => Array.isArray(record.fields[each])) ?? '';
  expect((record.fields[field] as { name: string }[]).map((file) => file.name)).toEqual(['背面.png', '正面.png']);

  await test.step('see them in the list and as cards', async () => {
    await page.goto(listOf(key, [record.id], `&columns=name,${field}`));
    await settled(page);
    const cell = page.getByRole('gridcell').filter({ has: page.getByRole('img', { name: '正面.png' }) });
    await expect(cell.getByRole('img')).toHaveCount(2);
    const small = cell.getByRole('img', { name: '背面.png' });
    await expect.poll(() => small.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(480);
  });

  await test.step('look at them on the record, large', async () => {
    await page.goto(`/o/${key}/${record.id}`);
    await settled(page);
    await page.getByRole('button', { name: t('filefield:open', { name: '背面.png' }) }).click();
    const large = page.getByRole('dialog').getByRole('img', { name: '背面.png' });
    await expect.poll(() => large.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(500);
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('dialog').getByRole('img', { name: '正面.png' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  await test.step('remove one where it stands, and take that back', async () => {
    await page
      .getByRole('button', { name: t('records:edit.field', { name: label }) })
      .first()
      .click();
    await page.getByRole('button', { name: t('filefield:remove', { name: '正面.png' }) }).click();
    await page.getByRole('button', { name: t('common:save'), exact: true }).click();
    await expect(page.getByRole('button', { name: t('filefield:open', { name: '正面.png' }) })).toHaveCount(0);
    await toast(page, t('common:saved'))
      .getByRole('button', { name: t('common:undo') })
      .click();
    await expect(page.getByRole('button', { name: t('filefield:open', { name: '正面.png' }) })).toBeVisible();
  });

  await test.step('names in a table, ids in lines', async () => {
    const csv = await (
      await api.call('POST', `/records/${key}/export`, { format: 'csv', fields: ['name', field] })
    ).text();
    expect(csv).toContain('正面.png');
    const lines = await (
      await api.call('POST', `/records/${key}/export`, { format: 'ndjson', fields: ['name', field] })
    ).text();
    expect(lines).toMatch(/fil_[0-9a-z]+/);
  });
  await api.remove(key, record.id);
  await api.call('DELETE', `/objects/${key}`);
});
