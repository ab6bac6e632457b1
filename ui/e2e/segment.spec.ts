import { settled } from './pages';
import { condition, expect, test, toast } from './support';

interface Segment {
  key: string;
  size: number;
}

test('a segment by hand: counted, saved, looked at, deleted', async ({ page, t, api, locale }) => {
  const chinese = locale?.startsWith('zh') === true;
  const orders = chinese ? '购买次数' : 'Purchases';
  const spend = chinese ? '累计消费' : 'Total spent';
  const name = chinese ? '常来的好客人' : 'Good regulars';
  const where = {
    all: [
      { trait: 'orders', op: '>=', value: 4 },
      { trait: 'spend_total', op: '>', value: { amount: '2000', currency: 'CNY' } },
    ],
  };
  const { count } = await api.post<{ count: number }>('/segments/count', { where });
  const shown = count.toLocaleString('en');

  await page.goto('/segments');
  await settled(page);
  await page
    .getByRole('link', { name: t('segments:new') })
    .first()
    .click();
  const estimate = page.getByRole('complementary', { name: t('segments:estimate') });
  await test.step('nothing is saved without a name and a condition', async () => {
    await page.getByRole('button', { name: t('segments:save') }).click();
    await expect(page.getByText(t('segments:nameNeeded'))).toBeVisible();
    await expect(page.getByText(t('segments:whereNeeded'))).toBeVisible();
  });
  await test.step('the count follows the condition', async () => {
    await page.getByRole('textbox', { name: t('segments:name') }).fill(name);
    await condition(page, t, orders, t('fields:op.gte'), '4');
    await page
      .getByRole('button', { name: t('conditions:addCondition') })
      .first()
      .click();
    const second = page.getByRole('button', { name: t('conditions:pick.choose') });
    await second.click();
    await page.getByRole('textbox', { name: t('conditions:pick.search') }).fill(spend);
    await page.getByRole('option', { name: spend, exact: true }).click();
    await page
      .getByRole('combobox', { name: t('conditions:operator') })
      .last()
      .click();
    await page.getByRole('option', { name: t('fields:op.gt'), exact: true }).click();
    await page.getByRole('textbox', { name: spend }).fill('2000');
    await expect(estimate.getByText(shown, { exact: true }), 'what the API counts').toBeVisible();
    await expect(estimate.getByRole('listitem')).toHaveCount(Math.min(5, count));
  });
  await test.step('undo and redo', async () => {
    await page.getByRole('button', { name: t('segments:undo'), exact: true }).click();
    await expect(page.getByRole('textbox', { name: spend })).not.toHaveValue('2,000');
    await page.getByRole('button', { name: t('segments:redo'), exact: true }).click();
    await expect(estimate.getByText(shown, { exact: true })).toBeVisible();
  });
  await page.getByRole('button', { name: t('segments:save') }).click();
  await expect(page).toHaveURL(/\/segments\/(?!new)/);
  const key = page.url().split('/').pop()?.split('?')[0] ?? '';

  await test.step('its page', async () => {
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
    await expect(page.getByText(shown, { exact: true }).first()).toBeVisible();
    await expect(
      page
        .getByRole('region', { name: t('segments:members') })
        .getByRole('row')
        .nth(1),
    ).toBeVisible();
    await page.getByRole('button', { name: t('segments:asTable') }).click();
    const history = page.getByRole('region', { name: t('segments:history') });
    await expect(history.getByRole('row').nth(1)).toContainText(shown);
    const saved = await api.get<Segment>(`/segments/${key}`);
    expect(saved.size).toBe(count);
  });
  await test.step('recompute adds a point', async () => {
    await page.getByRole('button', { name: t('segments:refresh') }).click();
    await expect(toast(page, t('segments:refreshed'))).toBeVisible();
  });
  await test.step('edit', async () => {
    await page.getByRole('link', { name: t('common:edit') }).click();
    await page.getByRole('textbox', { name: orders }).fill('5');
    const { count: fewer } = await api.post<{ count: number }>('/segments/count', {
      where: { all: [{ trait: 'orders', op: '>=', value: 5 }, where.all[1]] },
    });
    await expect(estimate.getByText(fewer.toLocaleString('en'), { exact: true })).toBeVisible();
    await page.getByRole('button', { name: t('segments:save') }).click();
    await expect(page.getByRole('link', { name: t('common:edit') })).toBeVisible();
    expect((await api.get<Segment>(`/segments/${key}`)).size).toBe(fewer);
  });
  await test.step('delete', async () => {
    await page.getByRole('button', { name: t('segments:actions'), exact: true }).click();
    await page.getByRole('menuitem', { name: t('common:delete') }).click();
    const question = page.getByRole('dialog', { name: t('segments:delete.title', { name }) });
    await question.getByRole('button', { name: t('common:delete') }).click();
    await expect(page).toHaveURL(/\/segments$/);
    await expect(toast(page, t('segments:deleted', { name }))).toBeVisible();
    await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0);
  });
});

test('unsaved changes are not lost by a wrong click', async ({ page, t }) => {
  await page.goto('/segments/new');
  await page.getByRole('textbox', { name: t('segments:name') }).fill('x');
  await page
    .getByRole('navigation', { name: t('shell:navLabel') })
    .getByRole('link', { name: t('shell:nav.home') })
    .click();
  const question = page.getByRole('dialog', { name: t('segments:leave.title') });
  await question.getByRole('button', { name: t('common:cancel') }).click();
  await expect(page.getByRole('textbox', { name: t('segments:name') })).toHaveValue('x');
  await page
    .getByRole('navigation', { name: t('shell:navLabel') })
    .getByRole('link', { name: t('shell:nav.home') })
    .click();
  await question.getByRole('button', { name: t('segments:leave.confirm') }).click();
  await expect(page).toHaveURL(/\/$/);
});
