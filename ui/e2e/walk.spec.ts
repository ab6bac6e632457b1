import fs from 'node:fs';
import { demo } from '../playwright.config';
import { lineOf, makeFitting, saidOf, walk } from './fitting';
import { settled, shoot } from './pages';
import { outside, signIn } from './people';
import { expect, type Page, pick, type RecordData, test, toast } from './support';

const PASSWORD = 'quiet river stones 9';
interface Option {
  key: string;
  label: Record<string, string>;
}

const PERSONS = 8;
const ROWS = 1000;

const listOf = () => `/o/${walk.object}`;
const grid = (page: Page) => page.getByRole('grid');
const rowOf = (page: Page, title: string) => grid(page).getByRole('row').filter({ hasText: title });

test.describe.configure({ mode: 'serial' });

test('the administrator makes an object with a field of every type', async ({ page, t, api, locale }) => {
  test.setTimeout(80_000);
  await makeFitting(page, t, api, locale);
});

test('she imports a thousand rows, corrects the wrong ones, and imports those again', async ({
  page,
  t,
  api,
  locale,
}) => {
  test.setTimeout(60_000);
  const said = saidOf(locale);
  const stamp = Date.now().toString().slice(-6);
  for (let at = 0; at < PERSONS; at++) {
    const phone = `139${locale?.startsWith('zh') ? 1 : 2}${stamp}${at}`;
    walk.phones.push(phone);
    walk.customers.push(await api.create('customer', { name: at === 0 ? said.first : `${said.first}${at}`, phone }));
  }
  const type = (key: string) => t(`settings:type.${key}`);
  const head = [
    said.name,
    said.customer,
    said.state,
    type('date'),
    type('number'),
    said.fee,
    type('tags'),
    type('bool'),
    type('phone'),
    type('email'),
    type('region'),
    type('multi_choice'),
    type('rating'),
  ];
  const lines = Array.from({ length: ROWS }, (_, at) => lineOf(at + 1, said, walk.phones[at % PERSONS] ?? ''));
  const wrong = (row: number, column: number, text: string) => {
    const line = lines[row - 1];
    if (line !== undefined) line[column] = text;
  };
  wrong(10, 3, '2026-13-45');
  wrong(20, 1, '13900000000');
  wrong(30, 5, '9999');
  const csv = [head, ...lines].map((line) => line.join(',')).join('\n');

  await page.goto(`/imports/new?object=${walk.object}`);
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: `walk-${stamp}.csv`, mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.getByRole('button', { name: t('imports:uploadAndMap') }).click();
  await test.step('the columns are matched; the customer is found by the phone', async () => {
    await expect(page.getByText(t('imports:mapped_other', { used: head.length, count: head.length }))).toBeVisible();
    await page.getByRole('button', { name: t('importing:settingsOf', { name: said.customer }) }).click();
    await pick(page, t('importing:findBy'), new RegExp(said.phone));
    await shoot(page, 'walk-import-map');
  });
  await test.step('a dry run says what is wrong before anything is written', async () => {
    await page.getByRole('button', { name: t('imports:dryRun'), exact: true }).click();
    await expect(page.getByRole('heading', { name: t('imports:checkResult') })).toBeVisible();
    expect(await api.find(walk.object)).toEqual([]);
    await shoot(page, 'walk-import-checked');
    await page.getByRole('button', { name: t('imports:start'), exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('imports:start') })
      .click();
    await expect(page.getByRole('heading', { name: t('imports:headline.doneWithErrors') })).toBeVisible();
    await shoot(page, 'walk-import-done');
  });
  await test.step('the file of errors names row, column and reason', async () => {
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: t('imports:leftOut.errors.download') }).click();
    const text = fs.readFileSync(await (await downloading).path(), 'utf8');
    expect(text.trim().split('\n')).toHaveLength(4);
    expect(text).toContain('2026-13-45');
    expect(text).toContain('13900000000');
    expect(text).toContain(said.message);
  });
  await test.step('corrected on screen and imported again', async () => {
    await page.getByRole('button', { name: t('importing:correct') }).click();
    const cell = (row: number, name: string) =>
      page.getByRole('textbox', { name: t('importing:cellOf', { row, name }) });
    await cell(11, type('date')).fill('2026-11-20');
    await cell(21, said.customer).fill(walk.phones[0] ?? '');
    await cell(31, said.fee).fill('99');
    await shoot(page, 'walk-import-correct');
    await page.getByRole('button', { name: t('importing:retry', { count: 3 }) }).click();
    await expect(page.getByRole('heading', { name: t('imports:headline.done'), exact: true })).toBeVisible();
    const { count } = await api.post<{ count: number }>(`/records/${walk.object}/count`, { exact: true });
    expect(count).toBe(ROWS);
  });
});

test('list, board, calendar, cards, form, page, search, API and tools are all there', async ({
  page,
  t,
  api,
  locale,
  playwright,
  faults,
}) => {
  test.setTimeout(60_000);
  faults.allow(new RegExp(`422 POST /api/v1/records/${walk.object}`));
  const said = saidOf(locale);
  const title = `${said.guests}0001`;
  await test.step('list', async () => {
    await page.goto(listOf());
    await settled(page);
    await page.getByRole('searchbox', { name: t('records:filter.search') }).fill(title);
    await expect(rowOf(page, title)).toBeVisible();
    await expect(rowOf(page, title)).toContainText(said.first);
    await shoot(page, 'walk-list');
  });
  for (const kind of ['board', 'calendar', 'cards'])
    await test.step(kind, async () => {
      await page.goto(`${listOf()}?kind=${kind}`);
      await settled(page);
      if (kind === 'board') await expect(page.getByRole('region', { name: said.options[0] ?? '' })).toBeVisible();
      await expect(
        page
          .getByRole('main')
          .getByText(new RegExp(`${said.guests}\\d{4}`))
          .first(),
      ).toBeVisible();
      await shoot(page, `walk-${kind}`);
    });
  await test.step('form: the rule and the condition answer while one types', async () => {
    await page.goto(`${listOf()}?new=true`);
    const form = page.getByRole('dialog', { name: t('records:form.title', { name: said.object }) });
    await form.getByRole('textbox', { name: said.name }).fill(`${said.guests}X`);
    await form.getByRole('combobox', { name: said.customer, exact: true }).fill(said.first);
    await page.getByRole('option', { name: said.first }).first().click();
    const fee = form.getByRole('textbox', { name: said.fee });
    await fee.fill('6000');
    await expect(fee).toHaveAccessibleDescription(new RegExp(said.message));
    await fee.fill('600');
    await expect(form.getByRole('textbox', { name: said.reason })).toHaveCount(0);
    await form.getByRole('combobox', { name: said.state, exact: true }).click();
    await page.getByRole('option', { name: said.options[2] ?? '' }).click();
    await form.getByRole('textbox', { name: said.reason }).fill('…');
    const create = form.getByRole('button', { name: t('common:create') });
    await page.mouse.move(1300, 500);
    await page.mouse.wheel(0, 5000);
    await expect(create, 'the foot stays below while the form scrolls').toBeInViewport({ ratio: 1 });
    const foot = await create.boundingBox();
    expect(foot?.y ?? 0).toBeGreaterThan(840);
    await shoot(page, 'walk-form');
    await create.click();
    await expect(form).toHaveCount(0);
  });
  await test.step('page', async () => {
    const [made] = await api.find(walk.object, { where: { field: 'name', op: '=', value: title } });
    await page.goto(`${listOf()}/${made?.id}`);
    await settled(page);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(title);
    await expect(page.getByRole('main').getByText(said.first).first(), 'relation and mirror').toBeVisible();
    await shoot(page, 'walk-page');
    await page.goto(`/o/customer/${walk.customers[0]?.id}`);
    await expect(page.getByRole('tab', { name: new RegExp(said.plural) })).toBeVisible();
  });
  await test.step('search finds it by pinyin', async () => {
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog');
    await page.getByRole('combobox', { name: t('palette:placeholder') }).fill(said.pinyin);
    await expect(palette.getByRole('option').filter({ hasText: said.first }).first()).toBeVisible();
    await page.getByRole('combobox', { name: t('palette:placeholder') }).fill(title);
    await expect(palette.getByRole('option').filter({ hasText: title }).first()).toBeVisible();
    await page.keyboard.press('Escape');
  });
  await test.step('API and tools of assistants', async () => {
    const key = await api.post<{ key: string }>('/apikeys', { name: 'walk', scopes: ['read', 'write'] });
    const program = await playwright.request.newContext({
      baseURL: demo.url,
      extraHTTPHeaders: { Authorization: `Bearer ${key.key}`, Accept: 'application/json, text/event-stream' },
    });
    const records = await program.get(`/api/v1/records/${walk.object}?limit=3`);
    expect(((await records.json()) as { items: unknown[] }).items).toHaveLength(3);
    const paths = (await (await program.get('/api/v1/openapi.json')).json()) as { paths: Record<string, unknown> };
    expect(Object.keys(paths.paths)).toContain(`/records/${walk.object}`);
    const call = async (name: string, args: unknown) => {
      const data = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
      const answer = await program.post('/mcp', { data });
      return (await answer.json()) as { result: { structuredContent: { items: { title: string }[] } } };
    };
    const where = { field: 'name', op: '=', value: title };
    const asked = await call('query_records', { object: walk.object, where });
    expect(asked.result.structuredContent.items.map((item) => item.title)).toEqual([title]);
    await program.dispose();
  });
});

test('a sales person sees hers, is refused the rest, asks for approval, and the manager approves', async ({
  page,
  t,
  api,
  browser,
  locale,
}) => {
  test.setTimeout(60_000);
  const said = saidOf(locale);
  const stamp = Date.now().toString(36);
  const scoped = (scope: string, ...actions: string[]) =>
    Object.fromEntries(actions.map((action) => [action, { scope }]));
  const { phone, email } = walk.keys;
  const role = await api.post<{ key: string }>('/roles', {
    name: `walk ${stamp}`,
    rights: [],
    objects: {
      customer: { actions: scoped('own', 'read', 'update'), fields: { phone: 'masked', email: 'masked' } },
      [walk.object]: {
        actions: scoped('own', 'read', 'create', 'update'),
        fields: { [phone ?? '']: 'masked', [email ?? '']: 'masked' },
      },
    },
  });
  const people = { seller: `ann.${stamp}@guanxi.example`, manager: `bob.${stamp}@guanxi.example` };
  const seller = await api.post<{ id: string }>('/users', {
    email: people.seller,
    name: `ann ${stamp}`,
    role: role.key,
    password: PASSWORD,
  });
  await api.post('/users', { email: people.manager, name: `bob ${stamp}`, role: 'manager', password: PASSWORD });
  const hers = walk.customers[0] as RecordData;
  await api.json(
    'POST',
    `/records/customer/${hers.id}/assign`,
    { owner: seller.id },
    { 'If-Match': `"${hers.version}"` },
  );
  const ofCustomer = (id: string) => ({ where: { field: 'customer', op: '=', value: id }, limit: 3 });
  const [mine] = await api.find(walk.object, ofCustomer(hers.id));
  const [other] = await api.find(walk.object, ofCustomer(walk.customers[1]?.id ?? ''));
  const ann = await outside(browser, locale, { phone: true });
  const bob = await outside(browser, locale);

  await test.step('on her phone she has hers, with the numbers masked and no way to export', async () => {
    await signIn(ann, t, people.seller, PASSWORD);
    const { count } = await ann.api.post<{ count: number }>(`/records/${walk.object}/count`, { exact: true });
    expect(count).toBe(ROWS / PERSONS + 1);
    await ann.page.goto(`${listOf()}?q=${other?.title}`);
    await settled(ann.page);
    await expect(ann.page.getByText(other?.title ?? '', { exact: true })).toHaveCount(0);
    await ann.page.goto(listOf());
    await settled(ann.page);
    await shoot(ann.page, 'walk-phone-list');
    await ann.page
      .getByRole('main')
      .getByRole('button', { name: t('common:more') })
      .first()
      .click();
    await expect(ann.page.getByRole('menuitem').first()).toBeVisible();
    await expect(ann.page.getByRole('menuitem', { name: t('records:list.export') })).toHaveCount(0);
    await ann.page.keyboard.press('Escape');
    expect((await ann.api.call('POST', `/records/${walk.object}/export`, { format: 'csv' })).status()).toBe(403);
    expect((await ann.api.call('POST', `/records/${walk.object}/exports`, { format: 'csv' })).status()).toBe(403);
    await ann.page.goto(`${listOf()}/${mine?.id}`);
    await settled(ann.page);
    await expect(ann.page.getByText(/1381\d{7}/)).toHaveCount(0);
    await expect(ann.page.getByRole('button', { name: new RegExp(`^${t('fields:reveal')}`) })).toHaveCount(0);
    await shoot(ann.page, 'walk-phone-page');
  });
  await test.step('one record of another is shared with her', async () => {
    await page.goto(`${listOf()}/${other?.id}`);
    await settled(page);
    await page
      .getByRole('button', { name: t('common:more') })
      .last()
      .click();
    await page.getByRole('menuitem', { name: t('records:page.share') }).click();
    const dialog = page.getByRole('dialog');
    await pick(dialog, t('rights:share.with'), `ann ${stamp}`, `ann ${stamp}`);
    await dialog.getByRole('button', { name: t('rights:share.add'), exact: true }).click();
    await expect(toast(page, t('rights:share.done'))).toBeVisible();
    await ann.page.goto(`${listOf()}/${other?.id}`);
    await settled(ann.page);
    await expect(ann.page.getByRole('heading', { level: 1 })).toContainText(other?.title ?? '');
  });
  const process = await api.post<{ id: string }>('/approval-processes', {
    spec: {
      name: `walk ${stamp}`,
      object: walk.object,
      enabled: true,
      action: 'update',
      fields: [walk.keys.money],
      whole: false,
      own: 'ask',
      once: false,
      steps: [{ name: 'bob', mode: 'any', who: [{ kind: 'role', role: 'manager' }] }],
    },
  });
  await test.step('her change of the deposit waits for the manager, who approves it', async () => {
    ann.faults.allow(/409 PATCH \/api\/v1\/records/);
    await ann.page.goto(`${listOf()}/${mine?.id}`);
    await settled(ann.page);
    await ann.page
      .getByRole('button', { name: t('records:edit.field', { name: said.fee }) })
      .first()
      .click();
    const editor = ann.page.getByRole('textbox', { name: said.fee });
    await editor.fill('888');
    await editor.press('Enter');
    const ask = ann.page.getByRole('dialog');
    await ask.getByLabel(t('approvals:ask.reason')).fill('…');
    await shoot(ann.page, 'walk-phone-ask');
    await ask.getByRole('button', { name: t('approvals:ask.send') }).click();
    await expect(toast(ann.page, t('approvals:sent.title'))).toBeVisible();

    await signIn(bob, t, people.manager, PASSWORD);
    await bob.page.goto('/approvals');
    await bob.page
      .getByText(mine?.title ?? '')
      .first()
      .click();
    const drawer = bob.page.getByRole('dialog');
    await expect(drawer.getByText(/888/)).toBeVisible();
    await shoot(bob.page, 'walk-approval');
    await drawer.getByRole('button', { name: t('approvals:approve'), exact: true }).click();
    await expect(drawer.getByText(t('approvals:state.applied')).first()).toBeVisible();
    const now = await api.get<RecordData>(`/records/${walk.object}/${mine?.id}`);
    expect(now.fields[walk.keys.money ?? '']).toMatchObject({ amount: '888.00' });
  });
  await api.json('DELETE', `/approval-processes/${process.id}`);
  const dialogOf = (name: string) => bob.page.getByRole('dialog', { name });
  await test.step('the manager edits all of them, and takes it back', async () => {
    const all = ROWS + 1;
    const { fields } = await api.get<{ fields: { key: string; options?: Option[] }[] }>(`/objects/${walk.object}`);
    const options = fields.find((field) => field.key === walk.keys.choice)?.options ?? [];
    const text = all.toLocaleString('en');
    await bob.page.goto(listOf());
    await settled(bob.page);
    await bob.page.getByRole('checkbox', { name: t('records:select.loaded') }).click();
    const bulk = bob.page.getByRole('region', { name: t('records:bulk.label') });
    await bulk.getByRole('button', { name: t('records:bulk.all', { count: all, text }) }).click();
    await bulk.getByRole('button', { name: t('jobs:bar.edit') }).click();
    const dialog = dialogOf(t('jobs:dialog.edit', { text }));
    await dialog.getByRole('combobox', { name: t('jobs:dialog.field') }).click();
    await bob.page.getByRole('option', { name: said.state, exact: true }).click();
    await dialog.getByRole('combobox', { name: t('jobs:dialog.value') }).click();
    await bob.page.getByRole('option', { name: said.options[1] ?? '', exact: true }).click();
    await shoot(bob.page, 'walk-bulk');
    const left = async () => {
      const key = options.find((option) => Object.values(option.label).includes(said.options[1] ?? ''))?.key;
      const where = { field: walk.keys.choice, op: '!=', value: key };
      return (await api.post<{ count: number }>(`/records/${walk.object}/count`, { where, exact: true })).count;
    };
    const before = await left();
    await dialog.getByRole('button', { name: t('jobs:dialog.apply', { text }) }).click();
    const undo = bob.page.getByRole('status').getByRole('button', { name: t('common:undo') });
    await expect(undo).toBeVisible();
    expect(await left(), 'all of them').toBe(0);
    await undo.click();
    await expect.poll(left, { message: 'as they were' }).toBe(before);
  });
  await test.step('she exports them', async () => {
    await bob.page
      .getByRole('main')
      .getByRole('button', { name: t('common:more') })
      .first()
      .click();
    await bob.page.getByRole('menuitem', { name: t('records:list.export') }).click();
    const dialog = bob.page.getByRole('dialog');
    await dialog.getByText('CSV', { exact: true }).click();
    await dialog.getByRole('button', { name: t('jobs:export.start') }).click();
    const downloading = bob.page.waitForEvent('download');
    await bob.page
      .getByRole('button', { name: t('jobs:download') })
      .last()
      .click();
    const content = fs.readFileSync(await (await downloading).path(), 'utf8');
    expect(content.trim().split('\n').length).toBeGreaterThan(ROWS);
  });
  expect(ann.faults.list, 'her program made no mistakes').toEqual([]);
  expect(bob.faults.list, 'nor did the manager’s').toEqual([]);
  for (const person of [ann, bob]) await person.context.close();
});
