import { expectAccessible } from './axe';
import { expect, pick, test, toast } from './support';

/* A rule is made in the editor, tried, switched on and begun by hand; what it did is seen on its page and on the record. */

test('a rule is written, tried, run on a record and looked at', async ({ page, api, t, locale }) => {
  const zh = locale?.startsWith('zh') ?? true;
  const name = zh ? '手动问候' : 'Greet by hand';
  const customer = await api.create('customer', { name: zh ? '自动化的客户' : 'Automated customer' });
  await page.goto('/settings/automations/new');
  await page.getByRole('textbox', { name: t('automations:name') }).fill(name);
  await pick(page, t('automations:trigger.label'), t('automations:trigger.manual'));
  await page.getByRole('button', { name: t('automations:step.insert'), exact: true }).click();
  await page.getByRole('menuitem', { name: t('automations:kind.notify') }).click();
  const step = page.getByRole('region', {
    name: t('automations:step.named', { number: '1', kind: t('automations:kind.notify') }),
  });
  await expect(step.getByText(zh ? '请填写内容。' : 'Write a text.').first()).toBeVisible();
  await step.getByRole('textbox', { name: t('automations:step.text') }).fill('{name}!');
  await page
    .getByRole('button', { name: t('automations:step.insert'), exact: true })
    .last()
    .click();
  await page.getByRole('menuitem', { name: t('automations:kind.create') }).click();
  const second = page.getByRole('region', {
    name: t('automations:step.named', { number: '2', kind: t('automations:kind.create') }),
  });
  await pick(second, t('automations:value.add'), zh ? '主题' : 'Subject');
  await second.getByRole('textbox', { name: zh ? '主题' : 'Subject', exact: true }).fill('{name} ?');
  await expect(page.getByText(t('automations:try.unsound'))).toHaveCount(0);
  await expectAccessible(page, 'the editor of a rule');
  await page.getByRole('button', { name: t('automations:saveOn') }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();

  await page.goto(`/o/customer/${customer.id}`);
  await page
    .getByRole('button', { name: t('common:more'), exact: true })
    .first()
    .click();
  await page.getByRole('menuitem', { name: t('records:page.automate') }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('listitem').filter({ hasText: name }).getByRole('button').click();
  await expect(toast(page, t('automations:press.done', { count: 1 }))).toBeVisible();

  await page.goto('/settings/automations');
  await page.getByRole('link', { name }).click();
  const runs = page.getByRole('region', { name: t('automations:runs') });
  await expect(runs.getByText(t('automations:run.done'))).toBeVisible();
  await runs.getByRole('button', { name: customer.title }).click();
  await expect(page.getByRole('dialog').getByText(t('automations:kind.create'))).toBeVisible();
  await expectAccessible(page, 'a run of a rule');
});

test('a rule watches a segment and sends a mail that is looked at before', async ({ page, api, t, locale }) => {
  const zh = locale?.startsWith('zh') ?? true;
  const stamp = zh ? 'zh' : 'en';
  const segment = zh ? '被监视的人群' : 'Watched segment';
  const name = zh ? '进入人群的邮件' : 'Mail on entering';
  await api.post('/segments', {
    key: `watched_${stamp}`,
    label: segment,
    where: { field: 'occupation', op: '=', value: stamp },
  });
  const customer = await api.create('customer', {
    name: zh ? '预览的客户' : 'Previewed customer',
    email: 'seen@example.org',
  });
  await page.goto('/settings/automations/new');
  await page.getByRole('textbox', { name: t('automations:name') }).fill(name);
  await pick(page, t('automations:trigger.label'), t('automations:trigger.enters'));
  await pick(page, t('automations:trigger.segment'), segment);
  await page.getByRole('button', { name: t('automations:step.insert'), exact: true }).click();
  await page.getByRole('menuitem', { name: t('automations:kind.email') }).click();
  const step = page.getByRole('region', {
    name: t('automations:step.named', { number: '1', kind: t('automations:kind.email') }),
  });
  await pick(step, t('automations:mail.field'), zh ? '邮箱' : 'E-mail');
  await step.getByRole('textbox', { name: t('automations:mail.subject') }).fill('{name}!');
  await step.getByRole('textbox', { name: t('automations:mail.text') }).fill('<b>{name}</b>');
  const record = step.getByRole('combobox', { name: t('automations:mail.previewWith') });
  await record.click();
  await record.fill(customer.title);
  await page.getByRole('option', { name: customer.title }).click();
  await step.getByRole('button', { name: t('automations:mail.preview') }).click();
  const card = step.getByRole('article', { name: t('automations:mail.card') });
  await expect(card.getByText(`<b>${customer.title}</b>`)).toBeVisible();
  await expect(card).not.toContainText('seen@example.org');
  await expectAccessible(page, 'the editor of a mail');
  await page.getByRole('button', { name: t('automations:saveOn') }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();

  await page.goto(`/segments/watched_${stamp}`);
  await expect(page.getByRole('heading', { name: t('segments:uses.title') })).toBeVisible();
  await expect(page.getByRole('link', { name })).toBeVisible();
  await expectAccessible(page, 'the rules of a segment');
});
