import { expect, test, toast } from './support';

const send = async (base: string, key: string, batch: Record<string, unknown>[]) => {
  const answer = await fetch(`${base}/v1/batch`, {
    method: 'POST',
    body: JSON.stringify({ writeKey: key, batch }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { accepted: number; rejected: { code: string }[] };
};

test('events are watched, planned, held back, repaired and sent again', async ({ page, t, api, baseURL }) => {
  const made = await api.post<{ source: { id: string }; write_key: string }>('/event-sources', {
    name: 'Events test',
    type: 'server',
  });
  const mark = `Order ${Date.now()}`;
  const order = (n: number, revenue: unknown) => ({
    type: 'track',
    event: mark,
    userId: `u-${n}`,
    messageId: `${mark}-${n}`,
    properties: { order_id: `D-${n}`, revenue, email: 'anna@example.com' },
  });
  await send(baseURL ?? '', made.write_key, [order(1, 10), order(2, 20)]);
  await page.goto(`/events?name=${encodeURIComponent(mark)}`);
  const live = page.getByRole('region', { name: t('tracking:tab.live') });
  await expect(live.getByRole('row')).toHaveCount(3);
  await live.getByRole('button', { name: mark }).first().click();
  const drawer = page.getByRole('dialog', { name: mark });
  await expect(drawer.getByText('"order_id": "D-2"')).toBeVisible();
  await expect(drawer.getByText('anna@example.com')).toHaveCount(0);
  await page.keyboard.press('Escape');

  await page.getByRole('tab', { name: t('tracking:tab.names') }).click();
  await page.getByRole('searchbox', { name: t('tracking:names.search') }).fill(mark);
  await page.getByRole('button', { name: mark }).click();
  const names = page.getByRole('dialog', { name: mark });
  await expect(names.getByText('revenue')).toBeVisible();
  await expect(names.getByText('anna')).toHaveCount(0);
  await page.keyboard.press('Escape');

  const before = await api.get<{ version: number; unplanned: string; events: unknown[] }>('/events/plan');
  await page.getByRole('tab', { name: t('tracking:tab.plan') }).click();
  await page.getByRole('button', { name: t('tracking:plan.add'), exact: true }).click();
  const form = page.getByRole('dialog', { name: t('tracking:plan.add') });
  await form.getByRole('textbox', { name: t('tracking:plan.name') }).fill(mark);
  await form.getByRole('combobox', { name: t('tracking:plan.act') }).click();
  await page.getByRole('option', { name: t('tracking:act.quarantine') }).click();
  await form.getByRole('button', { name: t('tracking:plan.addProperty') }).click();
  await form.getByRole('textbox', { name: t('tracking:plan.property') }).fill('revenue');
  await form.getByRole('combobox', { name: t('tracking:plan.type') }).click();
  await page.getByRole('option', { name: t('tracking:type.number'), exact: true }).click();
  await form.getByRole('checkbox', { name: t('tracking:plan.required') }).check();
  await form.getByRole('button', { name: t('tracking:plan.take') }).click();
  await page.getByRole('button', { name: t('common:save') }).click();
  await expect(toast(page, t('tracking:plan.saved'))).toBeVisible();

  const answer = await send(baseURL ?? '', made.write_key, [order(3, '1,280.50'), order(4, 40)]);
  expect(answer.accepted).toBe(1);
  expect(answer.rejected[0]?.code).toBe('tracking.property_type');
  await page.getByRole('tab', { name: t('tracking:tab.rejected') }).click();
  await page.getByRole('searchbox', { name: t('tracking:rejected.search') }).fill(mark);
  const rejected = page.getByRole('region', { name: t('tracking:tab.rejected') });
  await expect(rejected.getByText(t('tracking:rejected.held'))).toBeVisible();
  await page.getByRole('button', { name: t('tracking:rejected.repairAll') }).click();
  const repair = page.getByRole('dialog', { name: t('tracking:replay.title') });
  await repair.getByRole('button', { name: t('tracking:replay.addStep') }).click();
  await repair.getByRole('combobox', { name: t('tracking:replay.step', { number: 1 }) }).click();
  await page.getByRole('option', { name: t('tracking:step.cast') }).click();
  await repair.getByRole('textbox', { name: t('tracking:step.property') }).fill('revenue');
  await repair.getByRole('combobox', { name: t('tracking:plan.type') }).click();
  await page.getByRole('option', { name: t('tracking:type.number'), exact: true }).click();
  await repair.getByRole('button', { name: t('tracking:replay.try') }).click();
  await expect(repair.getByText('"revenue": 1280.5')).toBeVisible();
  await repair.getByRole('button', { name: t('tracking:replay.run') }).click();
  await expect(toast(page, t('tracking:replay.done', { count: 1 }))).toBeVisible();
  await page.goto(`/events?name=${encodeURIComponent(mark)}`);
  await expect(live.getByRole('row')).toHaveCount(5);
  await expect(live.getByText(t('tracking:flag.historic'))).toHaveCount(1);

  const now = await api.get<{ version: number }>('/events/plan');
  await api.post('/events/plan', { ...before, at: undefined, version: now.version });
  await api.json('DELETE', `/event-sources/${made.source.id}`);
});
