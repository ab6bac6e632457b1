import { seriousFindings } from './axe';
import { settled } from './pages';
import { expect, test, toast } from './support';

test('a webhook is made, its faults are named at their fields, and it is listed', async ({ page, t, api, faults }) => {
  faults.allow(/^request: 422 POST \/api\/v1\/webhooks/);
  await page.goto('/settings/webhooks');
  await settled(page);
  await page
    .getByRole('link', { name: t('webhooks:add') })
    .first()
    .click();
  const name = page.getByRole('textbox', { name: t('webhooks:name') });
  const url = page.getByRole('textbox', { name: t('webhooks:url') });
  const save = page.getByRole('button', { name: t('common:create'), exact: true });
  await save.click();
  await expect(page.getByText(t('webhooks:form.nameNeeded'))).toBeVisible();
  await expect(page.getByText(t('webhooks:form.urlNeeded'))).toBeVisible();
  await name.fill('测试收银系统');
  await url.fill('ftp://example.com/hook');
  await save.click();
  await expect(url).toHaveAttribute('aria-invalid', 'true');
  await url.fill('https://example.com/hooks/guanxi');
  expect(await seriousFindings(page)).toEqual([]);
  await save.click();
  await page.getByRole('button', { name: t('webhooks:secret.kept') }).click();
  await expect(page).toHaveURL(/\/settings\/webhooks\/[a-z]+_/);
  try {
    await page.goto('/settings/webhooks');
    await expect(page.getByRole('link', { name: '测试收银系统' })).toBeVisible();
    await page.getByRole('link', { name: '测试收银系统' }).click();
    await expect(page.getByText('https://example.com/hooks/guanxi')).toBeVisible();
  } finally {
    const { items } = await api.get<{ items: { id: string; name: string }[] }>('/webhooks');
    for (const hook of items.filter((one) => one.name === '测试收银系统'))
      await api.call('DELETE', `/webhooks/${hook.id}`);
  }
});

test('an exchange rate is added, refused where it is wrong, and kept', async ({ page, t, api, faults }) => {
  faults.allow(/^request: 422 PATCH \/api\/v1\/rates/);
  const before = await api.get<{ rates: unknown[] }>('/rates');
  try {
    await page.goto('/settings/currencies');
    await settled(page);
    await page.getByRole('button', { name: t('settings:currencies.add') }).click();
    const row = page
      .getByRole('list', { name: t('settings:currencies.rates') })
      .getByRole('listitem')
      .last();
    await row.getByRole('textbox', { name: t('settings:currencies.currency') }).fill('usd');
    const rate = row.getByRole('textbox', { name: t('settings:currencies.rateOf', { currency: 'USD', base: 'CNY' }) });
    await rate.fill('viel');
    const save = page.getByRole('button', { name: t('common:save'), exact: true });
    await save.click();
    await expect(rate).toHaveAttribute('aria-invalid', 'true');
    await rate.fill('7.12');
    expect(await seriousFindings(page)).toEqual([]);
    await save.click();
    await expect(toast(page, t('settings:currencies.saved'))).toBeVisible();
    await page.reload();
    await expect(rate).toHaveValue('7.12');
    await expect(save, 'nothing is left to save').toBeDisabled();
  } finally {
    await api.json('PATCH', '/rates', { rates: before.rates });
  }
});
