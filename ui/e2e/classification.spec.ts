import { settled } from './pages';
import { type Api, expect, test, toast } from './support';

interface ClassInfo {
  key: string;
  count: number;
}

const countOf = async (api: Api, classification: string, key: string): Promise<number> => {
  const { items } = await api.get<{ items: { key: string; classes: ClassInfo[] }[] }>('/classifications');
  return items.find((each) => each.key === classification)?.classes.find((each) => each.key === key)?.count ?? -1;
};

test('a threshold is changed, tried, saved and reset', async ({ page, t, api }) => {
  const before = await countOf(api, 'frequency_class', 'high');
  await page.goto('/classifications');
  await settled(page);
  await page.getByRole('link', { name: '购买频次' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('购买频次');
  const classes = page.getByRole('list', { name: t('classifications:classes') });
  const high = classes.getByRole('listitem').first();
  const save = page.getByRole('button', { name: t('common:save'), exact: true });
  await expect(high).toContainText('≥ 6');
  await expect(high).toContainText(before.toLocaleString('en'));
  await expect(save).toBeDisabled();

  const { count: wanted } = await api.post<{ count: number }>('/segments/count', {
    where: { trait: 'orders_365d', op: '>=', value: 8 },
  });
  const change = async (value: string) => {
    await page.getByRole('button', { name: t('classifications:editOf', { name: '高频' }) }).click();
    const drawer = page.getByRole('dialog', { name: t('classifications:conditionOf', { name: '高频' }) });
    await drawer.getByRole('textbox', { name: '近 365 天购买次数' }).fill(value);
    return drawer;
  };
  await test.step('the drawer counts the condition alone', async () => {
    const drawer = await change('8');
    await expect(
      drawer.getByText(t('classifications:alone', { count: wanted, shown: wanted.toLocaleString('en') })),
    ).toBeVisible();
    await drawer.getByRole('button', { name: t('classifications:apply') }).click();
  });
  await test.step('the preview says who would move', async () => {
    const moved = (before - wanted).toLocaleString('en');
    await expect(page.getByText(t('classifications:willMove', { count: before - wanted, shown: moved }))).toBeVisible();
    await expect(high).toContainText(/(≥|不小于) 8/);
    await expect(high).toContainText(`−${moved}`);
    expect(await countOf(api, 'frequency_class', 'high'), 'nothing is saved yet').toBe(before);
  });
  await test.step('discard goes back', async () => {
    await page.getByRole('button', { name: t('classifications:discard') }).click();
    await expect(high).toContainText('≥ 6');
    await expect(save).toBeDisabled();
  });
  await test.step('save', async () => {
    await (await change('8')).getByRole('button', { name: t('classifications:apply') }).click();
    await save.click();
    await expect(toast(page, t('common:saved'))).toBeVisible();
    await expect.poll(() => countOf(api, 'frequency_class', 'high')).toBe(wanted);
    await page.reload();
    await expect(high).toContainText('≥ 8');
    await expect(high).toContainText(wanted.toLocaleString('en'));
  });
  await test.step('reset', async () => {
    await page.getByRole('button', { name: t('classifications:reset.action') }).click();
    const question = page.getByRole('dialog', { name: t('classifications:reset.title') });
    await question.getByRole('button', { name: t('classifications:reset.confirm') }).click();
    await expect(toast(page, t('classifications:reset.done'))).toBeVisible();
    await expect(high).toContainText('≥ 6');
    await expect.poll(() => countOf(api, 'frequency_class', 'high')).toBe(before);
  });
  await test.step('the history tells both', async () => {
    await page.getByRole('button', { name: t('classifications:asTable') }).click();
    const history = page.getByRole('region', { name: t('classifications:history') }).first();
    await expect(
      history.getByRole('row', { name: new RegExp(t('classifications:reason.reset')) }).first(),
    ).toBeVisible();
    await expect(
      history.getByRole('row', { name: new RegExp(t('classifications:reason.edited')) }).first(),
    ).toBeVisible();
  });
});

test('classes are moved by keys', async ({ page, t }) => {
  await page.goto('/classifications/value_tier');
  await settled(page);
  const classes = page.getByRole('list', { name: t('classifications:classes') });
  const grip = page.getByRole('button', {
    name: new RegExp(t('classifications:drag', { name: '高价值' }).slice(0, 8)),
  });
  await grip.press('ArrowDown');
  await expect(classes.getByRole('listitem').nth(1).getByRole('textbox').first()).toHaveValue('高价值');
  await expect(page.getByText(t('classifications:movedTo', { name: '高价值', place: 2, count: 3 }))).toBeAttached();
  await page.getByRole('button', { name: t('classifications:discard') }).click();
  await expect(classes.getByRole('listitem').first().getByRole('textbox').first()).toHaveValue('高价值');
});
