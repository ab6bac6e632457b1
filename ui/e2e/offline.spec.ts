import { settled } from './pages';
import { type Api, expect, type Page, type RecordData, test, toast } from './support';

test.use({ serviceWorkers: 'allow' });

const owner = async (api: Api): Promise<string> => {
  const me = await api.get<{ user: { id: string }; workspace: { key: string } }>('/me');
  return `${me.workspace.key}.${me.user.id}`;
};

/** Whether an answer lies sealed in the browser: its address in the store, and nothing of it to read. */
async function isKept(page: Page, name: string, address: string): Promise<boolean> {
  return await page.evaluate(
    ({ name, address }) =>
      new Promise<boolean>((resolve, reject) => {
        const request = indexedDB.open(`guanxi.${name}`);
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const database = request.result;
          if (!database.objectStoreNames.contains('seen')) {
            database.close();
            resolve(false);
            return;
          }
          const got = database.transaction('seen').objectStore('seen').get(address);
          got.onsuccess = () => {
            database.close();
            resolve(got.result?.data instanceof ArrayBuffer && got.result.value === undefined);
          };
        };
      }),
    { name, address },
  );
}

const controlled = (page: Page) =>
  expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null), { timeout: 30_000 }).toBe(true);

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

test('what is written without a connection arrives once', async ({ page, context, t, api, faults }) => {
  test.setTimeout(90_000);
  faults.allow(/ERR_INTERNET_DISCONNECTED/, /console: .*(network|Failed to fetch|ERR_)/i);
  const stamp = Date.now();
  const customer = await api.create('customer', { name: `离线客户${stamp}` });
  const about = { object: 'customer', id: customer.id };
  const subject = `离线任务${stamp}`;
  const today = new Date().toISOString();
  const task = await api.create('task', { subject, about, due_at: today, all_day: true });
  const mine = await owner(api);
  const visitText = `现场拜访${stamp}`;
  const noteText = `看了新款，喜欢蓝色 ${stamp}`;

  await test.step('seen with a connection', async () => {
    await page.goto('/day');
    await settled(page);
    await controlled(page);
    await page.goto(`/o/customer/${customer.id}`);
    await settled(page);
    await expect.poll(() => isKept(page, mine, `/customers/${customer.id}/profile`), { timeout: 30_000 }).toBe(true);
    await expect.poll(() => isKept(page, mine, '/day')).toBe(true);
    await expect.poll(() => isKept(page, mine, '/me')).toBe(true);
  });

  await context.setOffline(true);
  const strip = page
    .getByRole('status')
    .filter({ hasText: t('offline:asOf', { when: '' }).trim().split(' ')[0] ?? '' });
  await test.step('the record opens, and says how old it is', async () => {
    await page.goto(`/o/customer/${customer.id}`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(customer.title);
    await expect(strip.first()).toContainText(/\d{2}:\d{2}/);
  });
  await test.step('a visit with a picture, and a note', async () => {
    const composer = page.getByRole('region', { name: t('work:add'), exact: true });
    await composer.getByRole('button', { name: t('shell:nav.visit').replace(/s$/, '') }).click();
    const form = composer.getByRole('form');
    await form.getByRole('textbox').first().fill(visitText);
    await form.locator('input[type="file"]').setInputFiles({ name: 'shop.png', mimeType: 'image/png', buffer: PIXEL });
    await expect(form.getByRole('list', { name: t('offline:visit.pictures') }).locator('img')).toBeVisible();
    await form.getByRole('button', { name: t('common:save') }).click();
    await expect(toast(page, visitText)).toBeVisible();
    await composer.getByRole('button', { name: t('shell:nav.note').replace(/s$/, '') }).click();
    await composer.getByRole('form').getByRole('textbox').fill(noteText);
    await page.keyboard.press('Control+Enter');
    const here = page.getByRole('region', { name: t('offline:here') });
    await expect(here.getByText(visitText)).toBeVisible();
    await expect(here.getByText(noteText)).toBeVisible();
  });
  await test.step('a task done on my day', async () => {
    await page.goto('/day');
    await page.getByRole('button', { name: t('work:complete', { name: subject }), exact: true }).click();
    await expect(page.getByRole('button', { name: t('work:reopen', { name: subject }), exact: true })).toBeVisible();
  });
  await test.step('it is all still there after a reload', async () => {
    await page.reload();
    await expect(page.getByRole('button', { name: t('work:reopen', { name: subject }), exact: true })).toBeVisible();
    await expect(page.getByRole('region', { name: t('offline:here') }).getByText(visitText)).toBeVisible();
    await expect(page.getByText(t('offline:waitingCount', { count: 4 }))).toBeVisible();
    const sent = await api.find('visit', { where: { field: 'customer', op: '=', value: customer.id } });
    expect(sent, 'nothing left the device').toEqual([]);
  });
  await test.step('with the connection it arrives, once', async () => {
    await context.setOffline(false);
    await expect(toast(page, t('offline:allSent'))).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText(t('offline:waitingCount', { count: 4 }))).toHaveCount(0);
    const of = (object: string) => api.find(object, { where: { field: 'customer', op: '=', value: customer.id } });
    const [visits, notes] = await Promise.all([of('visit'), of('note')]);
    expect(visits.map((each) => each.fields.subject)).toEqual([visitText]);
    expect(notes.map((each) => each.fields.body)).toEqual([noteText]);
    const files = await api.get<{ items: unknown[] }>(`/records/visit/${visits[0]?.id}/files`);
    expect(files.items).toHaveLength(1);
    const done = await api.get<RecordData>(`/records/task/${task.id}`);
    expect(done.fields.status).toBe('done');
  });
});

test('somebody else was there: both versions, and a choice', async ({ page, context, t, api, faults }) => {
  test.setTimeout(90_000);
  faults.allow(/ERR_INTERNET_DISCONNECTED/, /412 PATCH/, /console: .*(network|Failed to fetch|ERR_)/i);
  const stamp = Date.now();
  const customer = await api.create('customer', { name: `冲突客户${stamp}` });
  const about = { object: 'customer', id: customer.id };
  const note = await api.create('note', { title: `量体${stamp}`, body: '腰围 70', about });
  const mine = await owner(api);
  await page.goto(`/o/note/${note.id}`);
  await settled(page);
  await controlled(page);
  await expect.poll(() => isKept(page, mine, `/records/note/${note.id}`), { timeout: 30_000 }).toBe(true);
  await context.setOffline(true);
  await page.reload();
  const body = page.getByRole('button', { name: /腰围/ });
  await body.click();
  const editor = page.getByRole('textbox').filter({ hasText: '腰围' });
  await editor.fill('腰围 72');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText(t('offline:waitingCount', { count: 1 }))).toBeVisible();
  await api.json(
    'PATCH',
    `/records/note/${note.id}`,
    { fields: { body: '腰围 68' } },
    { 'If-Match': `"${note.version}"` },
  );
  await context.setOffline(false);
  await expect(page.getByText(t('offline:attention', { count: 1 }))).toBeVisible({ timeout: 30_000 });
  await page.getByRole('button', { name: t('offline:show') }).click();
  const drawer = page.getByRole('dialog', { name: t('offline:drawer.title') });
  await drawer.getByRole('button', { name: t('offline:solve') }).click();
  const question = page.getByRole('dialog', { name: t('dialogs:conflict.title') });
  await expect(question).toContainText('腰围 68');
  await expect(question).toContainText('腰围 72');
  await question.getByRole('button', { name: t('dialogs:conflict.takeMine') }).click();
  await expect(drawer.getByText(t('offline:drawer.nothing'))).toBeVisible();
  const saved = await api.get<RecordData>(`/records/note/${note.id}`);
  expect(saved.fields.body).toBe('腰围 72');
});

test('what the server refuses says why and can be changed; signing out clears the device', async ({
  page,
  context,
  t,
  api,
  faults,
  browser,
  baseURL,
}) => {
  test.setTimeout(90_000);
  faults.allow(/.*/);
  const stamp = Date.now();
  const [name, email, password] = [`离线${stamp % 1000}`, `offline${stamp}@guanxi.example`, 'quiet harbour lantern 7'];
  await api.post('/users', { name, email, role: 'member', password });
  const theirs = await browser.newContext({
    baseURL: baseURL ?? '',
    locale: (await page.evaluate(() => navigator.language)) ?? 'zh-CN',
    storageState: { cookies: [], origins: [] },
    serviceWorkers: 'allow',
  });
  await theirs.request.post('/api/v1/session', { data: { email, password } });
  const phone = await theirs.newPage();
  const me = (await (await theirs.request.get('/api/v1/me')).json()) as {
    user: { id: string };
    workspace: { key: string };
  };
  const mine = `${me.workspace.key}.${me.user.id}`;
  await phone.goto('/day');
  await settled(phone);
  await controlled(phone);
  await expect.poll(() => isKept(phone, mine, '/day'), { timeout: 30_000 }).toBe(true);
  await theirs.setOffline(true);
  await expect(phone.getByText(t('offline:show'))).toBeVisible();
  const line = phone.getByRole('textbox', { name: t('mine:quick.label') });
  await line.fill(`第一件 ${stamp}`);
  await line.press('Enter');
  await expect(phone.getByText(t('offline:waitingCount', { count: 1 }))).toBeVisible();

  await test.step('written, then changed before it is sent', async () => {
    const here = phone.getByRole('region', { name: t('offline:here') });
    await here.getByRole('button', { name: t('offline:edit') }).click();
    const dialog = phone.getByRole('dialog');
    await dialog.getByRole('textbox').first().fill(`改过的 ${stamp}`);
    await dialog.getByRole('button', { name: t('common:save') }).click();
    await expect(here.getByText(`改过的 ${stamp}`)).toBeVisible();
  });
  await test.step('meanwhile the role may no longer write', async () => {
    await api.json('PATCH', `/users/${me.user.id}`, { role: 'readonly' });
    await theirs.setOffline(false);
    // Another role ends the session: signing in stands over the page, and only then something is sent.
    const again = phone.getByRole('dialog', { name: t('auth:again.title') });
    await again.getByRole('textbox', { name: t('auth:password') }).fill(password);
    await again.getByRole('button', { name: t('auth:signIn.submit') }).click();
    await expect(phone.getByText(t('offline:attention', { count: 1 }))).toBeVisible({ timeout: 30_000 });
    await expect(phone.getByText(t('offline:state.refused')).first()).toBeVisible();
  });
  await test.step('signing out asks, and leaves nothing', async () => {
    await phone.getByRole('button', { name, exact: false }).first().click();
    await phone.getByRole('menuitem', { name: t('shell:account.signOut') }).click();
    await phone.getByRole('button', { name: t('offline:signOut.confirm') }).click();
    await expect(phone).toHaveURL(/sign-in/);
    const names = async () =>
      await phone.evaluate(async () => (await indexedDB.databases()).map((database) => database.name));
    await expect.poll(names).not.toContain(`guanxi.${mine}`);
    expect(await phone.evaluate(() => localStorage.getItem('guanxi.owner'))).toBe('');
  });
  await theirs.close();
  void context;
});

test('a visit says where it was, if one wants it to', async ({ page, context, t, api }) => {
  await context.grantPermissions(['geolocation']);
  await context.setGeolocation({ latitude: 31.2304, longitude: 121.4737, accuracy: 12 });
  const customer = await api.create('customer', { name: `定位客户${Date.now()}` });
  await page.goto(`/o/customer/${customer.id}`);
  await settled(page);
  const composer = page.getByRole('region', { name: t('work:add'), exact: true });
  await composer.getByRole('button', { name: t('shell:nav.visit').replace(/s$/, '') }).click();
  const form = composer.getByRole('form');
  await form.getByRole('button', { name: t('offline:visit.here') }).click();
  await expect(form.locator('input[value^="31.23040, 121.47370"]')).toBeVisible();
  await form.getByRole('button', { name: t('common:save') }).click();
  await expect(toast(page, customer.title)).toBeVisible();
  const [visit] = await api.find('visit', { where: { field: 'customer', op: '=', value: customer.id } });
  expect(visit?.fields.place).toBe('31.23040, 121.47370 ±12 m');
});

test('the program can be installed', async ({ page, request, t }) => {
  await page.goto('/');
  await settled(page);
  const href = (await page.locator('link[rel="manifest"]').getAttribute('href')) ?? '';
  const answer = await request.get(href);
  expect(answer.headers()['content-type']).toContain('application/manifest+json');
  const manifest = (await answer.json()) as {
    name: string;
    start_url: string;
    display: string;
    icons: { src: string; sizes: string; purpose: string }[];
    shortcuts: { name: string; url: string }[];
  };
  expect(manifest.display).toBe('standalone');
  expect(manifest.shortcuts[0]?.name).toBe(t('shell:nav.day'));
  for (const purpose of ['any', 'maskable'])
    expect(manifest.icons.map((icon) => `${icon.purpose} ${icon.sizes}`)).toContain(`${purpose} 512x512`);
  for (const icon of manifest.icons) {
    const picture = await request.get(icon.src);
    expect(picture.headers()['content-type'], icon.src).toMatch(/^image\//);
  }
  for (const shortcut of manifest.shortcuts) {
    await page.goto(shortcut.url);
    await settled(page);
  }
  const errors = await (await page.context().newCDPSession(page)).send('Page.getInstallabilityErrors');
  expect(errors.installabilityErrors.map((error) => error.errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
});
