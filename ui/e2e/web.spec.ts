import { settled } from './pages';
import { expect, test, toast } from './support';

interface Overview {
  now: { visitors: number; visits: number; views: number };
}

/** A person who looks at so many pages, and puts something into the basket when there are at least two. */
const visit = (who: string, pages: number, at: number) => [
  ...Array.from({ length: pages }, (_, page) => ({
    type: 'page',
    anonymousId: who,
    messageId: `${who}-p${page}`,
    timestamp: new Date(at + page * 20_000).toISOString(),
    context: { page: { url: `https://shop.example/walk/${page}`, path: `/walk/${page}` } },
    properties: { url: `https://shop.example/walk/${page}`, path: `/walk/${page}` },
  })),
  ...(pages < 2
    ? []
    : [
        {
          type: 'track',
          event: 'Walk Added',
          anonymousId: who,
          messageId: `${who}-t`,
          timestamp: new Date(at + pages * 20_000).toISOString(),
          properties: { price: 20 },
        },
      ]),
];

test('events that come in are visits, a funnel of them is kept, and its people are shown', async ({
  page,
  t,
  api,
  request,
}) => {
  const stamp = Date.now();
  const { write_key: key } = await api.post<{ write_key: string }>('/event-sources', {
    name: `行走 ${stamp}`,
    type: 'server',
  });
  const batch = [3, 2, 1].flatMap((pages, at) => visit(`w${stamp}-${at}`, pages, stamp - 300_000));
  const sent = await request.post('/v1/batch', {
    headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
    data: { batch, sentAt: new Date().toISOString() },
  });
  expect(sent.status()).toBe(200);
  // The day of the workspace may be another than that of this machine.
  const day = (offset: number) => new Date(stamp + offset * 86_400_000).toISOString().slice(0, 10);
  const span = { from: day(-1), to: day(1) };
  const funnel = {
    steps: [{ event: 'Page Viewed', path: '/walk/*' }, { event: 'Walk Added' }],
    window_days: 1,
  };
  await expect
    .poll(
      async () =>
        (await api.post<{ steps: { count: number }[] }>('/web/funnel', { ...span, ...funnel })).steps.map(
          (step) => step.count,
        ),
      { timeout: 20_000 },
    )
    .toEqual([3, 2]);
  await expect
    .poll(async () => (await api.post<Overview>('/web/overview', span)).now.visits, { timeout: 15_000 })
    .toBeGreaterThanOrEqual(3);

  await page.goto(`/web?from=${span.from}&to=${span.to}`);
  await settled(page);
  await expect(page.getByRole('region', { name: t('web:term.visitors'), exact: true })).toBeVisible();
  await page.getByRole('tab', { name: t('web:tab.pages') }).click();
  await expect(page.getByText('/walk/0')).toBeVisible();

  await page.getByRole('tab', { name: t('web:tab.funnel') }).click();
  const path = page.getByRole('combobox', { name: t('web:stepPath', { number: 1 }) });
  await path.fill('/walk/*');
  await page.getByRole('option', { name: '/walk/*' }).click();
  const second = page.getByRole('combobox', { name: t('web:stepEvent', { number: 2 }) });
  await second.fill('Walk Added');
  await page.getByRole('option', { name: 'Walk Added' }).click();
  await page.getByRole('button', { name: t('web:show') }).click();
  const steps = page.getByRole('list', { name: t('web:tab.funnel') }).getByRole('listitem');
  await expect(steps.nth(1)).toContainText('2');
  await test.step('the people who stopped are those of the figure', async () => {
    await steps.nth(1).getByTitle(t('web:showPeople')).first().click();
    await page.getByRole('dialog').getByText(t('web:anonymous'), { exact: true }).click();
    await expect(page.getByRole('dialog').getByRole('listitem')).toHaveCount(1);
    await page.keyboard.press('Escape');
  });
  await test.step('it is kept under a name and forgotten again', async () => {
    await page.getByRole('button', { name: t('web:keepAs') }).click();
    await page.getByRole('textbox', { name: t('web:funnelName') }).fill(`加购 ${stamp}`);
    await page.getByRole('button', { name: t('common:save'), exact: true }).click();
    await expect(toast(page, t('web:funnelKept', { name: `加购 ${stamp}` }))).toBeVisible();
    await page.getByRole('button', { name: t('web:forgetFunnel', { name: `加购 ${stamp}` }) }).click();
    await page.getByRole('button', { name: t('common:delete'), exact: true }).click();
    await expect(page.getByRole('button', { name: t('web:forgetFunnel', { name: `加购 ${stamp}` }) })).toBeHidden();
  });
  for (const tab of ['paths', 'retention', 'sources', 'events'] as const) {
    await page.getByRole('tab', { name: t(`web:tab.${tab}`) }).click();
    await settled(page);
  }
});
