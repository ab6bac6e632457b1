import { expectAccessible } from './axe';
import { addField, nameIn, startField } from './fields';
import { settled } from './pages';
import { outside } from './people';
import { type Api, expect, type Page, pick, test, toast, type Words } from './support';

const SHAPE = {
  'zh-CN': {
    object: '试衣预约',
    plural: '试衣预约',
    key: 'shiyiyuyue',
    state: '状态',
    options: ['待到店', '已到店', '已取消'],
    waist: '腰围',
    who: '顾客',
    day: '到店日期',
    title: '周末试衣',
    reader: 'shape-zh@guanxi.example',
  },
  en: {
    object: 'Fitting',
    plural: 'Fittings',
    key: 'fitting',
    state: 'State',
    options: ['Expected', 'Visited', 'Called off'],
    waist: 'Waist',
    who: 'Guest',
    day: 'Day of visit',
    title: 'Weekend fitting',
    reader: 'shape-en@guanxi.example',
  },
};
interface ShownField {
  key: string;
  label: Record<string, string>;
  custom: boolean;
}
type Shape = (typeof SHAPE)['en'];

const shapeOf = (locale: string | undefined): Shape => SHAPE[locale?.startsWith('zh') ? 'zh-CN' : 'en'];
async function tidyUp(api: Api, key: string): Promise<void> {
  const gone = await api.call('DELETE', `/objects/${key}`);
  expect([204, 404]).toContain(gone.status());
}

test('an object is made, used everywhere, and loses nothing when its field is archived', async ({
  page,
  t,
  api,
  faults,
  locale,
}) => {
  test.setTimeout(180_000);
  faults.allow(/409 DELETE \/api\/v1\/objects/, /422 POST \/api\/v1\/objects/);
  const words = shapeOf(locale);
  const nav = page.getByRole('navigation', { name: t('shell:navLabel') });
  const [customer] = await api.find('customer', { limit: 1, sort: [{ field: 'created_at' }] });
  const { expected, visited } = { expected: words.options[0] ?? '', visited: words.options[1] ?? '' };

  await test.step('a key that cannot be is refused at its input', async () => {
    await page.goto('/settings/objects');
    await settled(page);
    await page.getByRole('button', { name: t('shape:object.new') }).click();
    const dialog = page.getByRole('dialog', { name: t('shape:object.new') });
    await dialog.getByRole('textbox', { name: nameIn(t, 'shape:object.name', locale), exact: true }).fill(words.object);
    await dialog.getByText(t('shape:advanced')).click();
    const key = dialog.getByRole('textbox', { name: t('shape:key.label') });
    await key.fill('9 lives');
    await dialog.getByRole('button', { name: t('common:create') }).click();
    await expect(key).toHaveAttribute('aria-invalid', 'true');
    await expect(key).toHaveAccessibleDescription(/9 lives/);
    await key.fill('');
    await expectAccessible(page, 'the dialog for a new object');
  });

  await test.step('the object is made and stands in the navigation', async () => {
    const dialog = page.getByRole('dialog', { name: t('shape:object.new') });
    await dialog.getByRole('button', { name: new RegExp(t('shape:object.iconChange')) }).click();
    await page
      .getByRole('textbox', { name: t('shape:object.iconSearch') })
      .or(page.getByRole('searchbox', { name: t('shape:object.iconSearch') }))
      .fill('calendar-time');
    await page.getByRole('button', { name: t('shape:icon.calendar-time'), exact: true }).click();
    await dialog.getByRole('button', { name: t('common:create') }).click();
    await expect(page).toHaveURL(new RegExp(`/settings/objects/${words.key}$`));
    await expect(nav.getByRole('link', { name: words.plural })).toBeVisible();
  });

  await test.step('a choice, its options pasted as lines', async () => {
    const panel = await startField(page, t, 'choice', words.state, locale);
    await panel.getByRole('button', { name: t('shape:options.many') }).click();
    const box = page.getByRole('textbox', { name: t('shape:options.many') });
    await box.fill(words.options.join('\n'));
    await page.getByRole('button', { name: t('common:add'), exact: true }).click();
    await expect(panel.getByRole('listitem')).toHaveCount(3);
    await expectAccessible(page, 'the panel of a field');
    await pick(panel, t('shape:field.default'), expected);
    await addField(page, t, panel, words.state);
  });
  await test.step('a number, a relation and a required date', async () => {
    const number = await startField(page, t, 'number', words.waist, locale);
    await addField(page, t, number, words.waist);
    const relation = await startField(page, t, 'relation', words.who, locale);
    await relation.getByRole('button', { name: t('shape:field.add'), exact: true }).click();
    const target = relation.getByRole('combobox', { name: t('shape:field.target') });
    await expect(target, 'without a target it is refused there').toHaveAttribute('aria-invalid', 'true');
    await target.click();
    await page.getByRole('option', { name: locale?.startsWith('zh') ? '客户' : 'Customer', exact: true }).click();
    await addField(page, t, relation, words.who);
    const date = await startField(page, t, 'date', words.day, locale);
    await date.getByRole('switch', { name: t('shape:rule.required'), exact: true }).click();
    await addField(page, t, date, words.day);
    await expect(page.getByRole('row').filter({ hasText: words.day })).toContainText(t('settings:flag.required'));
  });
  await test.step('fields are put in order by the keys and by the mouse', async () => {
    const handleOf = (label: string) => page.getByRole('button', { name: t('shape:sort.handle', { name: label }) });
    const order = async () => {
      const { fields } = await api.get<{ fields: ShownField[] }>(`/objects/${words.key}`);
      return fields.filter((field) => field.custom).map((field) => Object.values(field.label)[0]);
    };
    const handle = handleOf(words.day);
    await expectAccessible(page, 'the fields of an object');
    await handle.focus();
    await handle.press('ArrowUp');
    await expect(handle).toBeFocused();
    await expect.poll(order).toEqual([expect.anything(), words.state, words.waist, words.day, words.who]);
    const from = await handleOf(words.who).boundingBox();
    const to = await handleOf(words.state).boundingBox();
    if (from === null || to === null) throw new Error('both handles are on screen');
    await page.mouse.move(from.x + 8, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(from.x + 8, to.y + 40, { steps: 6 });
    await page.mouse.move(from.x + 8, to.y - 4, { steps: 4 });
    await page.mouse.up();
    await expect.poll(order).toEqual([expect.anything(), words.who, words.state, words.waist, words.day]);
  });

  const row = page.getByRole('grid').getByRole('row').filter({ hasText: words.title });
  await test.step('a record through the form', async () => {
    await nav.getByRole('link', { name: words.plural }).click();
    await settled(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(new RegExp(words.object));
    await page
      .locator('header')
      .getByRole('button', { name: t('records:list.new') })
      .click();
    const form = page.getByRole('dialog', { name: t('records:form.title', { name: words.object }) });
    await form.getByRole('textbox', { name: /^(名称|Name)/ }).fill(words.title);
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(form.getByText(t('records:form.needed'))).toBeVisible();
    await form.getByRole('button', { name: words.day }).click();
    await page.locator('table button').filter({ hasText: /^15$/ }).first().click();
    await form.getByRole('textbox', { name: words.waist }).fill('66');
    await form.getByRole('combobox', { name: words.who }).fill(customer?.title ?? '');
    await page
      .getByRole('option', { name: customer?.title ?? '' })
      .first()
      .click();
    await form.getByRole('button', { name: t('common:create') }).click();
    await expect(form).toHaveCount(0);
    await expect(row).toContainText(expected);
    await expect(row).toContainText('66');
    await expect(row).toContainText(customer?.title ?? '');
  });
  await test.step('found by a filter of its own field', async () => {
    await page.goto(`/o/${words.key}`);
    await page.getByRole('button', { name: t('records:filter.title') }).click();
    const drawer = page.getByRole('dialog', { name: t('records:filter.title') });
    await drawer.getByRole('button', { name: t('conditions:pick.choose') }).click();
    await page.getByRole('textbox', { name: t('conditions:pick.search') }).fill(words.waist);
    await page.getByRole('option', { name: words.waist, exact: true }).click();
    await drawer.getByRole('textbox', { name: words.waist }).fill('66');
    await drawer.getByRole('button', { name: t('records:filter.apply') }).click();
    await expect(page).toHaveURL(/where=/);
    await expect(row).toBeVisible();
  });
  await test.step('edited where it stands', async () => {
    await row.getByRole('gridcell', { name: expected }).dblclick();
    await page.getByRole('option', { name: visited }).click();
    await expect(row).toContainText(visited);
    await expect(toast(page, t('common:saved'))).toBeVisible();
  });
  await test.step('offered by the import and the palette', async () => {
    await page.goto('/imports/new');
    await expect(page.locator('main').getByText(words.plural, { exact: true })).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: t('palette:placeholder') }).fill(words.object);
    await expect(page.getByRole('option', { name: words.plural, exact: true })).toBeVisible();
    await page.getByRole('option', { name: t('palette:actions.new', { name: words.object }) }).click();
    await expect(page.getByRole('dialog', { name: t('records:form.title', { name: words.object }) })).toBeVisible();
  });

  await test.step('a used field says what uses it', async () => {
    const view = await api.post<{ id: string }>('/views', {
      object: words.key,
      name: words.title,
      columns: ['name'],
      where: { field: await fieldKey(api, words.key, words.waist), op: '>', value: 60 },
      sort: [],
    });
    await page.goto(`/settings/objects/${words.key}`);
    await archive(page, t, words.waist);
    await expect(page.getByRole('alert').filter({ hasText: words.title })).toBeVisible();
    await api.json('DELETE', `/views/${view.id}`);
  });
  await test.step('archived and restored with its values', async () => {
    await archive(page, t, words.waist);
    await expect(toast(page, t('shape:archived.done', { name: words.waist }))).toBeVisible();
    await nav.getByRole('link', { name: words.plural }).click();
    await expect(row).toBeVisible();
    await expect(page.getByRole('columnheader', { name: words.waist })).toHaveCount(0);
    await page.goto(`/settings/objects/${words.key}`);
    await page.getByRole('button', { name: t('shape:archived.restoreOf', { name: words.waist }) }).click();
    await expect(toast(page, t('shape:archived.restored', { name: words.waist }))).toBeVisible();
    const [record] = await api.find(words.key);
    expect(Object.values(record?.fields ?? {}).map(String)).toContain('66');
  });
  await test.step('the object leaves the navigation and comes back', async () => {
    await page
      .locator('main')
      .getByRole('button', { name: t('common:more'), exact: true })
      .click();
    await page.getByRole('menuitem', { name: t('shape:archived.archive') }).click();
    await expect(page).toHaveURL(/\/settings\/objects$/);
    await expect(nav.getByRole('link', { name: words.plural })).toHaveCount(0);
    await page.getByRole('button', { name: t('shape:archived.restoreOf', { name: words.object }) }).click();
    await expect(nav.getByRole('link', { name: words.plural })).toBeVisible();
  });
  await tidyUp(api, words.key);
});

async function fieldKey(api: Api, object: string, label: string): Promise<string> {
  const { fields } = await api.get<{ fields: ShownField[] }>(`/objects/${object}`);
  return fields.find((field) => Object.values(field.label).includes(label))?.key ?? '';
}

async function archive(page: Page, t: Words, field: string): Promise<void> {
  await page.getByRole('button', { name: t('settings:actionsOf', { name: field }), exact: true }).click();
  await page.getByRole('menuitem', { name: t('shape:archived.archive') }).click();
}

test('a built-in field takes other words and new options, nothing else', async ({ page, t, api, locale }) => {
  await page.goto('/settings/objects/customer');
  await settled(page);
  const label = locale?.startsWith('zh') ? '来源' : 'Source';
  const before = await api.get<{ fields: { key: string; label: unknown; options: unknown }[] }>('/objects/customer');
  const source = before.fields.find((field) => field.key === 'source');
  await page.getByRole('button', { name: label, exact: true }).click();
  const panel = page.getByRole('dialog', { name: t('shape:field.edit', { name: label }) });
  await expect(panel.getByRole('switch', { name: t('shape:rule.unique') })).toHaveCount(0);
  await expect(panel.getByRole('switch', { name: t('shape:rule.indexed') }), 'what is built in stays').toBeDisabled();
  await panel.getByRole('textbox', { name: nameIn(t, 'shape:field.name', locale), exact: true }).fill(`${label} 2`);
  await panel.getByRole('button', { name: t('common:save') }).click();
  await expect(page.getByRole('button', { name: `${label} 2`, exact: true })).toBeVisible();
  await page.goto('/o/customer');
  await expect(page.getByRole('columnheader', { name: `${label} 2` })).toBeVisible();
  await api.json('PATCH', '/objects/customer/fields/source', { label: source?.label });
});

test('others read the objects and cannot shape them', async ({ page, t, api, browser, locale }) => {
  const { reader } = shapeOf(locale);
  const password = 'reader-of-shapes-1';
  await api.post('/users', { email: reader, name: reader, role: 'manager', password });
  await page.goto('/settings/objects');
  await expect(page.getByRole('button', { name: t('shape:object.new') })).toBeVisible();
  const other = await outside(browser, locale);
  const signedIn = await other.page.request.post('/api/v1/session', { data: { email: reader, password } });
  expect(signedIn.ok()).toBe(true);
  const theirs = other.page;
  await theirs.goto('/settings/objects/customer');
  await expect(theirs.getByRole('table')).toBeVisible();
  await expect(theirs.getByRole('button', { name: t('shape:field.add') })).toHaveCount(0);
  await expect(theirs.getByRole('tab')).toHaveCount(0);
  await theirs.goto('/settings/objects');
  await expect(theirs.getByText(t('shape:object.readOnly'))).toBeVisible();
  await expect(theirs.getByRole('button', { name: t('shape:object.new') })).toHaveCount(0);
  await other.context.close();
});
