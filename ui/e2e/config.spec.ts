import { readFile } from 'node:fs/promises';
import { expectAccessible } from './axe';
import { expect, test } from './support';

test('the configuration is downloaded, changed, compared and taken over', async ({ page, t, api }) => {
  test.setTimeout(60_000);
  const stamp = Date.now().toString(36);
  const key = `cfg_${stamp}`;
  await api.post('/objects/customer/fields', {
    key,
    type: 'choice',
    label: { 'zh-CN': `档${stamp}`, en: `Grade ${stamp}` },
    options: [{ key: 'a', label: { 'zh-CN': '旧名', en: 'Old name' } }],
  });
  await page.goto('/settings/config');
  const coming = page.waitForEvent('download');
  await page.getByRole('link', { name: t('config:download') }).click();
  const text = await readFile(await (await coming).path(), 'utf8');
  const file = JSON.parse(text);
  file.objects.customer.fields[key].options[0].label = { 'zh-CN': `新名${stamp}`, en: `New ${stamp}` };
  await page.locator('input[type=file]').setInputFiles({
    name: 'shape.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(file)),
  });
  await expect(page.getByText(`新名${stamp}`)).toBeVisible();
  await expectAccessible(page, 'config');
  await page.getByRole('button', { name: t('config:apply', { count: 1 }) }).click();
  await expect(page.getByRole('status').filter({ hasText: '1' })).toBeVisible();
  const customer = await api.get<{ fields: { key: string; options?: { label: Record<string, string> }[] }[] }>(
    '/objects/customer',
  );
  expect(customer.fields.find((field) => field.key === key)?.options?.[0]?.label.en).toBe(`New ${stamp}`);
  await api.call('DELETE', `/objects/customer/fields/${key}`);
});
