import { expect, pick, test } from './support';

test('a field gets another type, loses nothing and is taken back', async ({ page, t, api, faults, locale }) => {
  test.setTimeout(60_000);
  const zh = locale?.startsWith('zh') === true;
  const key = zh ? 'convert_zh' : 'convert_en';
  const label = (zhText: string, en: string) => ({ 'zh-CN': zhText, en });
  const size = zh ? '数量' : 'Size';
  faults.allow(/404 DELETE \/api\/v1\/objects/);
  await api.call('DELETE', `/objects/${key}`);
  const made = await api.call('POST', '/objects', { key, label: label('批次', 'Lot') });
  if (!made.ok()) await api.post(`/objects/${key}/restore`, {});
  else await api.post(`/objects/${key}/fields`, { key: 'size', type: 'text', label: label('数量', 'Size') });
  for (const record of await api.find(key)) await api.remove(key, record.id);
  for (const [name, value] of Object.entries({ a: '12', b: '1,200', c: 'ten or so' }))
    await api.create(key, { name, size: value });

  await page.goto(`/settings/objects/${key}`);
  await page.getByRole('button', { name: t('settings:actionsOf', { name: size }), exact: true }).click();
  await page.getByRole('menuitem', { name: t('convert:menu') }).click();
  const panel = page.getByRole('dialog');
  await pick(panel, t('convert:to'), t('settings:type.number'));
  await panel.getByRole('button', { name: t('convert:try'), exact: true }).click();
  await expect(panel.getByRole('row').filter({ hasText: 'ten or so' })).toBeVisible();
  await expect(panel.getByRole('row').filter({ hasText: '1200' })).toBeVisible();
  await panel.getByRole('button', { name: t('convert:start'), exact: true }).click();
  const back = panel.getByRole('button', { name: t('convert:undo'), exact: true });
  await expect(back).toBeVisible({ timeout: 20_000 });
  const numbers = await api.find(key, { where: { field: 'size', op: '>=', value: 12 } });
  expect(numbers.map((record) => record.title).sort()).toEqual(['a', 'b']);
  await back.click();
  await expect(panel).toHaveCount(0);
  const texts = await api.find(key, { sort: [{ field: 'name' }] });
  expect(texts.map((record) => record.fields.size)).toEqual(['12', '1,200', 'ten or so']);
  for (const record of texts) await api.remove(key, record.id);
  await api.call('DELETE', `/objects/${key}`);
});
