import { expectAccessible } from './axe';
import { settled, shoot } from './pages';
import { expect, test, toast } from './support';

interface Rotations {
  rotations: { kind: string; state: string; changed: number }[];
}

test('the data keys are exchanged while the page shows how far it is', async ({ page, t, api }) => {
  await page.goto('/settings/privacy?tab=keys');
  await settled(page);
  await page.getByRole('button', { name: t('privacy:keys.data'), exact: true }).click();
  const asked = page.getByRole('dialog', { name: t('privacy:keys.data') });
  await asked.getByRole('button', { name: t('privacy:keys.data'), exact: true }).click();
  await expect(toast(page, t('privacy:keys.begun'))).toBeVisible();
  const now = async () => (await api.get<Rotations>('/keys')).rotations[0];
  await expect.poll(async () => (await now())?.state, { timeout: 60_000 }).toBe('done');
  expect((await now())?.changed).toBeGreaterThan(1000);
  const row = page
    .getByRole('row')
    .filter({ hasText: t('privacy:keys.kinds.data') })
    .first();
  await expect(row).toContainText(t('privacy:keys.state.done'));
  await expectAccessible(page, 'keys');
  await shoot(page, 'keys');
});
