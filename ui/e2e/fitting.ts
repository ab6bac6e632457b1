import { addField, nameIn, startComputed, startField } from './fields';
import { settled, shoot } from './pages';
import type { Person } from './people';
import { type Api, expect, type Page, pick, type RecordData, test, toast, type Words } from './support';

/** What the three people of this walk read and write, in the language of the project. */
const WORDS = {
  zh: {
    object: '试衣预约单',
    plural: '试衣预约单',
    child: '试穿件',
    customer: '客户',
    phone: '手机',
    name: '名称',
    state: '进度',
    options: ['待到店', '已到店', '已取消'],
    reason: '取消原因',
    fee: '定金',
    code: '预约编号',
    guests: '量体',
    first: '欧阳静怡',
    pinyin: 'ouyangjingyi',
    city: '上海市黄浦区',
    tags: ['老客', '加急'],
    yes: '是',
    wish: ['礼服', '西装'],
    message: '定金不能超过五千',
  },
  en: {
    object: 'Fitting slot',
    plural: 'Fitting slots',
    child: 'Garment tried',
    customer: 'Customer',
    phone: 'Phone',
    name: 'Name',
    state: 'Progress',
    options: ['Expected', 'Visited', 'Called off'],
    reason: 'Why called off',
    fee: 'Deposit',
    code: 'Slot number',
    guests: 'Tailoring',
    first: '欧阳静怡',
    pinyin: 'ouyangjingyi',
    city: '上海市黄浦区',
    tags: ['regular', 'urgent'],
    yes: 'yes',
    wish: ['Gown', 'Suit'],
    message: 'A deposit is at most five thousand',
  },
};
export type Said = (typeof WORDS)['zh'];
export const saidOf = (locale: string | undefined): Said => WORDS[locale?.startsWith('zh') ? 'zh' : 'en'];

interface Walk {
  object: string;
  child: string;
  /** Field keys by their types; the names are those of the types. */
  keys: Record<string, string>;
  customers: RecordData[];
  phones: string[];
  seller: Person | null;
  manager: Person | null;
  sellerId: string;
}
export const walk: Walk = {
  object: '',
  child: '',
  keys: {},
  customers: [],
  phones: [],
  seller: null,
  manager: null,
  sellerId: '',
};

async function keyOf(api: Api, object: string, label: string): Promise<string> {
  const { fields } = await api.get<{ fields: { key: string; label: Record<string, string> }[] }>(`/objects/${object}`);
  return fields.find((field) => Object.values(field.label).includes(label))?.key ?? '';
}

/** Types that need nothing more than a name. */
const PLAIN = [
  'long_text',
  'phone',
  'email',
  'url',
  'number',
  'percent',
  'rating',
  'tags',
  'bool',
  'date',
  'datetime',
  'duration',
  'birthday',
  'user',
  'region',
  'address',
  'json',
  'file',
  'image',
] as const;

/** The administrator makes the object of the walk in the browser, with a field of every type. */
export async function makeFitting(page: Page, t: Words, api: Api, locale: string | undefined): Promise<void> {
  const said = saidOf(locale);
  const nav = page.getByRole('navigation', { name: t('shell:navLabel') });

  await test.step('the object belongs to a customer and is in the navigation at once', async () => {
    await page.goto('/settings/objects');
    await settled(page);
    await page.getByRole('button', { name: t('shape:object.new') }).click();
    const dialog = page.getByRole('dialog', { name: t('shape:object.new') });
    await dialog.getByRole('textbox', { name: nameIn(t, 'shape:object.name', locale), exact: true }).fill(said.object);
    await dialog.getByRole('switch', { name: t('shape:object.ofCustomer') }).click();
    await dialog.getByRole('button', { name: t('common:create') }).click();
    await expect(nav.getByRole('link', { name: said.plural, exact: true })).toBeVisible();
    walk.object = /objects\/(\w+)$/.exec(page.url())?.[1] ?? '';
  });
  const label = (text: string) => ({ 'zh-CN': text, en: text });
  walk.child = `${walk.object}_piece`;
  await api.post('/objects', { key: walk.child, label: label(said.child), plural: label(said.child) });
  await api.post(`/objects/${walk.child}/fields`, {
    type: 'relation',
    target: walk.object,
    key: 'of',
    label: label(said.object),
  });
  await api.post(`/objects/${walk.child}/fields`, { type: 'money', key: 'price', label: label('¥') });
  await page.reload();

  await test.step('a choice with options in colours', async () => {
    const panel = await startField(page, t, 'choice', said.state, locale);
    await panel.getByRole('button', { name: t('shape:options.many') }).click();
    await page.getByRole('textbox', { name: t('shape:options.many') }).fill(said.options.join('\n'));
    await page.getByRole('button', { name: t('common:add'), exact: true }).click();
    await expect(panel.getByRole('listitem')).toHaveCount(3);
    const off = panel.getByRole('listitem').last();
    await off
      .getByRole('button', { name: new RegExp(said.options[2] ?? '') })
      .filter({ hasText: '' })
      .nth(1)
      .click();
    await page.getByRole('button', { name: t('shape:color.red'), exact: true }).click();
    await pick(panel, t('shape:field.default'), said.options[0] ?? '');
    await addField(page, t, panel, said.state);
    walk.keys.choice = await keyOf(api, walk.object, said.state);
  });
  await test.step('a field that is shown and needed only then', async () => {
    const panel = await startField(page, t, 'text', said.reason, locale);
    for (const member of ['shown_when', 'required_when']) {
      await panel.getByRole('switch', { name: t(`layout:condition.${member}`) }).click();
      await panel
        .getByRole('button', { name: t('conditions:pick.choose') })
        .last()
        .click();
      await page.getByRole('textbox', { name: t('conditions:pick.search') }).fill(said.state);
      await page.getByRole('option', { name: said.state, exact: true }).click();
      await panel.getByRole('combobox', { name: said.state, exact: true }).last().click();
      await page
        .getByRole('option', { name: said.options[2] ?? '', exact: true })
        .last()
        .click();
    }
    await addField(page, t, panel, said.reason);
  });
  await test.step('money, several choices, an automatic number', async () => {
    await addField(page, t, await startField(page, t, 'money', said.fee, locale), said.fee);
    walk.keys.money = await keyOf(api, walk.object, said.fee);
    const wishes = await startField(page, t, 'multi_choice', t('settings:type.multi_choice'), locale);
    await wishes.getByRole('button', { name: t('shape:options.many') }).click();
    await page.getByRole('textbox', { name: t('shape:options.many') }).fill(said.wish.join('\n'));
    await page.getByRole('button', { name: t('common:add'), exact: true }).click();
    await addField(page, t, wishes, t('settings:type.multi_choice'));
    const number = await startField(page, t, 'auto_number', said.code, locale);
    await addField(page, t, number, said.code);
  });
  for (const type of PLAIN)
    await test.step(type, async () => {
      const name = t(`settings:type.${type}`);
      const panel = await startField(page, t, type, name, locale);
      if (type === 'phone' || type === 'email')
        await panel.getByRole('switch', { name: t('shape:rule.personal') }).click();
      await addField(page, t, panel, name);
      walk.keys[type] = await keyOf(api, walk.object, name);
    });
  await test.step('one and many records of others', async () => {
    const one = await startField(page, t, 'relation', t('settings:type.relation'), locale);
    await pick(one, t('shape:field.target'), t('shell:nav.store'));
    await addField(page, t, one, t('settings:type.relation'));
    const many = await startField(page, t, 'relation_many', t('settings:type.relation_many'), locale);
    await pick(many, t('shape:field.target'), said.child);
    await addField(page, t, many, t('settings:type.relation_many'));
  });
  await test.step('a formula, a mirror, a rollup', async () => {
    const formula = await startComputed(page, t, 'formula', t('formula:formula.name'), locale);
    await formula
      .getByRole('textbox', { name: t('formula:formula.name'), exact: true })
      .fill(`${walk.keys.number} * 2`);
    await addField(page, t, formula, t('formula:formula.name'));
    const mirror = await startComputed(page, t, 'lookup', t('formula:lookup.name'), locale);
    await pick(mirror, t('formula:lookup.over'), said.customer);
    await pick(mirror, t('formula:lookup.field'), said.name);
    await addField(page, t, mirror, t('formula:lookup.name'));
    const rollup = await startComputed(page, t, 'rollup', t('formula:rollup.name'), locale);
    await pick(rollup, t('formula:rollup.of'), said.child);
    await addField(page, t, rollup, t('formula:rollup.name'));
  });
  await test.step('every type is there', async () => {
    const { fields } = await api.get<{ fields: { type: string; custom?: boolean }[] }>(`/objects/${walk.object}`);
    const have = new Set(fields.filter((field) => field.custom).map((field) => field.type));
    for (const type of [
      ...PLAIN,
      'text',
      'choice',
      'multi_choice',
      'money',
      'auto_number',
      'relation',
      'relation_many',
    ])
      expect([...have], type).toContain(type);
    await shoot(page, 'walk-object');
  });
  await test.step('a validation rule', async () => {
    await page.getByRole('tab', { name: new RegExp(t('formula:rule.tab')) }).click();
    await page.getByRole('button', { name: t('formula:rule.add') }).click();
    await page.getByRole('textbox', { name: t('formula:rule.when') }).fill(`AMOUNT(${walk.keys.money}) > 5000`);
    await page
      .getByRole('textbox', { name: nameIn(t, 'formula:rule.message', locale), exact: true })
      .fill(said.message);
    await pick(page, t('formula:rule.field'), said.fee);
    await page.getByRole('button', { name: t('common:save'), exact: true }).click();
    await expect(toast(page, t('common:saved'))).toBeVisible();
  });
  await test.step('a layout', async () => {
    await page.getByRole('tab', { name: t('layout:tab') }).click();
    const grip = page.getByRole('button', { name: t('layout:move', { name: said.fee }), exact: true });
    await grip.focus();
    await grip.press('ArrowUp');
    await page.getByRole('button', { name: t('layout:saveOf', { name: said.object }) }).click();
    await expect(page.getByText(t('common:saved')).last()).toBeVisible();
  });
}

/** A line of the file: what a shop's own software writes, with some lines as they should not be. */
export function lineOf(at: number, said: Said, phone: string): string[] {
  const day = new Date(Date.UTC(2026, 10, 1 + (at % 60))).toISOString().slice(0, 10);
  return [
    `${said.guests}${String(at).padStart(4, '0')}`,
    phone,
    said.options[at % 2] ?? '',
    at % 3 === 0 ? day.replaceAll('-', '/') : day,
    String(58 + (at % 40) / 2),
    `${100 + at * 2}.50`,
    said.tags.slice(0, 1 + (at % 2)).join('、'),
    said.yes,
    `1381${String(2_000_000 + at)}`,
    `guest${at}@example.com`,
    said.city,
    said.wish[at % 2] ?? '',
    String(1 + (at % 5)),
  ];
}
