import { expect, test } from './support';

// An object of its own: the layouts of the others belong to the tests that look at them.
test('an administrator says what is shown, needed and where it stands', async ({ page, t, api, faults, locale }) => {
  test.setTimeout(60_000);
  const zh = locale?.startsWith('zh') === true;
  const key = zh ? 'layout_zh' : 'layout_en';
  const label = (zhText: string, en: string) => ({ 'zh-CN': zhText, en });
  const say = (zhText: string, en: string) => (zh ? zhText : en);
  faults.allow(new RegExp(`422 PATCH /api/v1/records/${key}`), new RegExp(`409 POST /api/v1/records/${key}`));
  expect([204, 404]).toContain((await api.call('DELETE', `/objects/${key}`)).status());
  const made = await api.call('POST', '/objects', { key, label: label('商机', 'Deal') });
  if (!made.ok()) await api.post(`/objects/${key}/restore`, {});
  else {
    const state = { key: 'state', type: 'choice', label: label('阶段', 'State') };
    const options = [
      { key: 'open', label: label('跟进中', 'Open') },
      { key: 'lost', label: label('输单', 'Lost') },
    ];
    await api.post(`/objects/${key}/fields`, { ...state, options, default: 'open' });
    await api.post(`/objects/${key}/fields`, { key: 'shop', type: 'text', label: label('门店', 'Shop') });
    const lost = { field: 'state', op: '=', value: 'lost' };
    const reason = { key: 'reason', type: 'text', label: label('输单原因', 'Reason'), shown_when: lost };
    await api.post(`/objects/${key}/fields`, { ...reason, required_when: lost });
  }
  await api.call('DELETE', `/objects/${key}/layouts/default`);
  const shop = say('门店', 'Shop');
  const reason = say('输单原因', 'Reason');

  await test.step('a field is moved with the keys and stays where it was put', async () => {
    await page.goto(`/settings/objects/${key}`);
    await page.getByRole('tab', { name: t('layout:tab') }).click();
    const grip = page.getByRole('button', { name: t('layout:move', { name: shop }), exact: true });
    await grip.focus();
    await grip.press('ArrowUp');
    const rows = page.getByRole('list', { name: t('fields:section.basic') }).getByRole('listitem');
    await expect(rows.nth(1)).toContainText(shop);
    await expect(grip).toBeFocused();
    await page.getByRole('button', { name: t('layout:saveOf', { name: say('商机', 'Deal') }) }).click();
    await expect(page.getByText(t('common:saved')).last()).toBeVisible();
    await page.reload();
    await page.getByRole('tab', { name: t('layout:tab') }).click();
    await expect(rows.nth(1)).toContainText(shop);
  });

  await test.step('the form asks for more when the values ask for it', async () => {
    await page.goto(`/o/${key}`);
    await page
      .getByRole('button', { name: t('records:list.new') })
      .first()
      .click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: say('名称', 'Name') }).fill('A1');
    await expect(form.getByRole('combobox', { name: say('阶段', 'State') })).toBeVisible();
    await expect(form.getByRole('textbox', { name: reason })).toHaveCount(0);
    await form.getByRole('combobox', { name: say('阶段', 'State') }).click();
    await page.getByRole('option', { name: say('输单', 'Lost') }).click();
    await expect(form.getByRole('textbox', { name: reason })).toBeVisible();
    await form.getByRole('combobox', { name: say('阶段', 'State') }).click();
    await page.getByRole('option', { name: say('跟进中', 'Open') }).click();
    await expect(form.getByRole('textbox', { name: reason })).toHaveCount(0);
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(form).toHaveCount(0);
  });

  await test.step('a change on the page that needs more asks for it and is saved together', async () => {
    const [deal] = await api.find(key);
    await page.goto(`/o/${key}/${deal?.id}`);
    await expect(page.getByText(reason)).toHaveCount(0);
    const edit = t('records:edit.field', { name: say('阶段', 'State') });
    await page.getByRole('button', { name: edit }).first().click();
    await page.getByRole('option', { name: say('输单', 'Lost') }).click();
    const dialog = page.getByRole('dialog', { name: t('layout:needs.title') });
    await dialog.getByRole('textbox', { name: reason }).fill('price');
    await dialog.getByRole('button', { name: t('common:save') }).click();
    await expect(page.getByText('price')).toBeVisible();
    const saved = await api.find(key);
    expect(saved[0]?.fields).toMatchObject({ state: 'lost', reason: 'price' });
  });

  await test.step('two records that may not be the same are refused by name', async () => {
    await page.goto(`/settings/objects/${key}`);
    await page.getByRole('tab', { name: t('layout:uniqueTab') }).click();
    await page.getByRole('button', { name: t('layout:unique.add') }).click();
    const title = t(zh ? 'shape:in.zh-CN' : 'shape:in.en', { name: t('layout:unique.name') });
    await page.getByRole('textbox', { name: title }).fill('One per shop');
    await page.getByRole('combobox', { name: t('layout:unique.fields') }).click();
    await page.getByRole('option', { name: shop, exact: true }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: t('common:save'), exact: true }).click();
    await expect(page.getByText(t('layout:unique.state.on'), { exact: true })).toBeVisible({ timeout: 15_000 });
    await api.create(key, { name: 'B1', shop: 'S1' });
    const twice = await api.call('POST', `/records/${key}`, { fields: { name: 'B2', shop: 'S1' } });
    expect(twice.status()).toBe(409);
    expect(await twice.text()).toContain('One per shop');
  });
  for (const record of await api.find(key)) await api.remove(key, record.id);
  await api.json('PATCH', `/objects/${key}`, { unique_rules: [] });
  await api.call('DELETE', `/objects/${key}`);
});
