import { settled } from './pages';
import { expect, type RecordData, test, toast } from './support';

test('a task about a customer comes up on my day and is finished there', async ({ page, t, api }) => {
  const customer = await api.create('customer', { name: `工作客户${Date.now()}` });
  const subject = `回访 ${customer.id.slice(-6)}`;
  await page.goto(`/o/customer/${customer.id}`);
  await settled(page);

  await test.step('write it down on the record', async () => {
    const composer = page.getByRole('region', { name: t('work:add'), exact: true });
    await composer.getByRole('button', { name: t('shell:nav.task') }).click();
    const form = composer.getByRole('form');
    await form.getByRole('button', { name: t('common:save') }).click();
    await expect(form.getByText(t('records:form.needed')), 'what is missing is said at its field').toBeVisible();
    await form
      .getByRole('textbox', { name: /\*$|主题/ })
      .first()
      .fill(subject);
    await form.getByRole('button', { name: t('work:today') }).click();
    await form.getByRole('button', { name: t('common:save') }).click();
    await expect(toast(page, subject)).toBeVisible();
    const open = page.getByRole('region', { name: t('work:open') });
    await expect(open.getByRole('button', { name: subject, exact: true })).toBeVisible();
  });
  await test.step('a note stands in the timeline, which can be narrowed', async () => {
    const composer = page.getByRole('region', { name: t('work:add'), exact: true });
    await composer.getByRole('button', { name: t('shell:nav.note') }).click();
    await composer.getByRole('form').getByRole('textbox').fill('喜欢连衣裙');
    await page.keyboard.press('Control+Enter');
    await expect(page.getByRole('listitem').getByText('喜欢连衣裙', { exact: true })).toBeVisible();
    await page
      .getByRole('toolbar')
      .getByRole('button', { name: t('work:filter.tasks'), exact: true })
      .click();
    await expect(page.getByRole('listitem').getByText('喜欢连衣裙', { exact: true })).toBeHidden();
  });
  await test.step('my day', async () => {
    await page.goto('/day');
    const due = page.getByRole('region', { name: t('mine:day.due'), exact: true });
    await due.getByRole('button', { name: t('work:complete', { name: subject }) }).click();
    await toast(page, subject)
      .getByRole('button', { name: t('common:undo') })
      .click();
    await expect(due.getByRole('button', { name: subject, exact: true }), 'taken back').toBeVisible();
    await due.getByRole('button', { name: t('work:complete', { name: subject }) }).click();
    const done = page.getByRole('region', { name: t('mine:day.done'), exact: true });
    await expect(done.getByRole('button', { name: subject, exact: true })).toBeVisible();
    const [task] = await api.find('task', { where: { field: 'subject', op: '=', value: subject } });
    expect((task as RecordData).fields.status).toBe('done');
  });
  await test.step('quick add reads the day and the time', async () => {
    const words = `整理样衣 ${customer.id.slice(-6)}`;
    await page.getByRole('textbox', { name: t('mine:quick.label') }).fill(`明天 15:00 ${words} !高`);
    await page.keyboard.press('Enter');
    const next = page.getByRole('region', { name: t('mine:day.upcoming') });
    await expect(next.getByRole('button', { name: words, exact: true })).toBeVisible();
    await page.getByText(t('mine:day.month'), { exact: true }).click();
    await expect(page.getByRole('button', { name: new RegExp(words) })).toBeVisible();
  });
});

test('a comment tells whoever it names', async ({ page, browser, t, api, baseURL }) => {
  const stamp = Date.now();
  const [name, email, password] = [`林晓${stamp % 1000}`, `lin${stamp}@guanxi.example`, 'quiet harbour lantern 7'];
  await api.post('/users', { name, email, role: 'member', password });
  const customer = await api.create('customer', { name: `评论客户${stamp}` });
  await page.goto(`/o/customer/${customer.id}`);
  await settled(page);
  await test.step('write @ and choose', async () => {
    const composer = page.getByRole('region', { name: t('work:add'), exact: true });
    await composer.getByRole('button', { name: t('work:comment'), exact: true }).click();
    const box = composer.getByRole('textbox', { name: t('work:comment') });
    await box.pressSequentially(`@${name}`);
    await composer
      .getByRole('list', { name: t('work:mention') })
      .getByRole('button')
      .first()
      .click();
    await box.pressSequentially('请今天跟进');
    await page.keyboard.press('Control+Enter');
    await expect(page.getByRole('listitem').getByText(`@${name}`)).toBeVisible();
    await expect(
      page.getByRole('button', { name: t('work:unfollow') }),
      'one follows what one speaks about',
    ).toBeVisible();
  });
  await test.step('the other one sees it', async () => {
    const context = await browser.newContext({
      baseURL: baseURL ?? '',
      locale: 'zh-CN',
      storageState: { cookies: [], origins: [] },
    });
    await context.request.post('/api/v1/session', { data: { email, password } });
    const theirs = await context.newPage();
    await theirs.goto('/day');
    await theirs.getByRole('link', { name: t('shell:bell', { count: 1 }) }).click();
    await theirs
      .getByRole('link', { name: t('mine:notice.mentioned', { who: '', name: customer.title }).trim() })
      .click();
    await expect(theirs).toHaveURL(new RegExp(customer.id));
    await expect(
      theirs.getByRole('link', { name: t('shell:bell', { count: 0 }) }),
      'what was read is read',
    ).toBeVisible();
    await context.close();
  });
  await test.step('a field goes back to what it was', async () => {
    await api.json(
      'PATCH',
      `/records/customer/${customer.id}`,
      { fields: { name: `改名${stamp}` } },
      { 'If-Match': '*' },
    );
    await page.goto(`/o/customer/${customer.id}?tab=history`);
    await page.getByRole('button', { name: t('work:restoreField'), exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(customer.title);
  });
});
