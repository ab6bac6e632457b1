import { settled } from './pages';
import { expect, test } from './support';

interface Work {
  items: { customer: { id: string; title: string }; play: string }[];
}

test('what to do next: accepted from the list, dismissed on the customer, and a play with its figures', async ({
  page,
  t,
  api,
}) => {
  await expect
    .poll(async () => (await api.get<Work>('/actions/work')).items.length, { timeout: 60_000 })
    .toBeGreaterThan(3);
  await page.goto('/actions');
  await settled(page);
  const rows = page.getByRole('region', { name: t('actions:tabs.work') }).getByRole('row');
  const first = rows.nth(1);
  const name = (await first.getByRole('link').first().textContent()) ?? '';
  const before = await rows.count();
  await first
    .getByRole('button', { name: t('next:accept') })
    .first()
    .click();
  await expect(page.getByText(t('next:done.task'))).toBeVisible(); // for some seconds
  await expect.poll(() => rows.count()).not.toBe(before);

  // The customer says what was decided.
  await page.goto('/actions');
  await settled(page);
  await rows.nth(1).getByRole('link').first().click();
  await settled(page);
  const card = page.getByRole('region', { name: t('next:why.title') });
  await expect(card).toBeVisible();
  await card
    .getByRole('button', { name: new RegExp(t('next:dismiss')) })
    .first()
    .click();
  await page.getByRole('menuitem', { name: t('next:dismiss') }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('actions:dismissing.do') })
    .click();
  await expect(card.getByText(t('actions:dismissing.reasons.unfit'))).toBeVisible();

  await page.goto('/actions?tab=plays&play=win_back');
  await settled(page);
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByText(t('actions:verdict.no_holdout'))).toBeVisible();
  await expect(drawer.getByText(/\d/).first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(drawer).toHaveCount(0);
  await page.goto('/lifecycle/at_risk');
  await settled(page);
  await expect(page.getByRole('switch').first()).toBeVisible();
  expect(name).not.toBe('');
});
