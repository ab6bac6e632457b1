import http from 'node:http';
import { seriousFindings } from './axe';
import { settled } from './pages';
import { expect, pick, test } from './support';

interface Text {
  id: string;
  to: string;
  text: string;
}

/** A company that delivers text messages: it takes everything and keeps it. */
async function company(): Promise<{ url: string; texts: Text[]; close: () => Promise<void> }> {
  const texts: Text[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      texts.push(JSON.parse(body) as Text);
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ id: `r${texts.length}` }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/sms`,
    texts,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

test('an account is made, a text message written and sent, and its receipt counted', async ({
  page,
  t,
  api,
  faults,
}) => {
  faults.allow(/^request: 422 POST \/api\/v1\/channels/);
  const mark = Date.now().toString(36);
  const server = await company();
  const people = await Promise.all(
    [1, 2].map((n) =>
      api.create('customer', {
        kind: 'person',
        name: `短信客户${n} ${mark}`,
        phone: `+86138${String(Date.now()).slice(-7)}${n}`,
      }),
    ),
  );
  let account = '';
  try {
    await page.goto('/settings/channels');
    await settled(page);
    await page
      .getByRole('button', { name: t('channels:add') })
      .first()
      .click();
    const form = page.getByRole('dialog');
    await pick(form, t('channels:provider'), t('channels:providers.http'));
    await form.getByRole('textbox', { name: t('channels:name'), exact: true }).fill(`短信 ${mark}`);
    await form.getByRole('textbox', { name: t('channels:endpoint') }).fill('https://10.0.0.8/sms');
    await form.getByLabel(t('channels:signingSecret'), { exact: true }).fill('a signing secret');
    await form.getByRole('textbox', { name: t('channels:sign') }).fill('关系');
    await form.getByLabel(t('channels:price')).fill('0.045');
    await form.getByRole('button', { name: t('common:create'), exact: true }).click();
    const endpoint = form.getByRole('textbox', { name: t('channels:endpoint') });
    await expect(endpoint).toHaveAttribute('aria-invalid', 'true');
    await endpoint.fill(server.url);
    expect(await seriousFindings(page)).toEqual([]);
    await form.getByRole('button', { name: t('common:create'), exact: true }).click();
    const shown = page.getByRole('dialog', { name: `短信 ${mark}` });
    await shown.getByRole('textbox', { name: t('channels:test.to') }).fill('13800001234');
    await shown.getByRole('button', { name: t('channels:test.send') }).click();
    await expect(shown.getByText(t('channels:outcome.taken'))).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
    const { items } = await api.get<{ items: { id: string; name: string; inbox: string }[] }>('/channels');
    const made = items.find((each) => each.name === `短信 ${mark}`);
    account = made?.id ?? '';

    await page.goto('/templates/new');
    await page.getByLabel(t('campaigns:name'), { exact: true }).fill(`短信 ${mark}`);
    await page.getByText(t('campaigns:channels.sms'), { exact: true }).click();
    await page.getByLabel(t('campaigns:templates.text')).fill('{{ customer.name }}，您的订单已到店，请来取。');
    await expect(page.getByText('【关系】')).toBeVisible();
    await page.getByRole('button', { name: t('common:save') }).click();
    await expect(page).toHaveURL(/\/templates\/tpl_/);

    const list = await api.post<{ segment: { key: string; label: string } }>('/segments/list', {
      label: `短信名单 ${mark}`,
      field: 'id',
      values: people.map((each) => each.id),
    });
    await page.goto('/campaigns/new');
    await page.getByLabel(t('campaigns:name'), { exact: true }).fill(`短信 ${mark}`);
    await page.getByText(t('campaigns:channels.sms'), { exact: true }).click();
    await page.getByRole('combobox', { name: t('campaigns:segments'), exact: true }).fill(mark);
    await page.getByRole('option', { name: list.segment.label }).click();
    await page.keyboard.press('Escape');
    await pick(page, t('campaigns:purpose'), t('campaigns:purposes.none'));
    await pick(page, t('campaigns:template'), `短信 ${mark}`);
    await page.getByRole('button', { name: t('campaigns:go') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('campaigns:startYes'), exact: true })
      .click();
    await expect.poll(() => server.texts.length, { timeout: 20_000 }).toBe(3);
    expect(server.texts[1]?.text).toMatch(/^【关系】短信客户\d .*，您的订单已到店，请来取。$/);

    await page.request.post(made?.inbox ?? '', { data: { reports: [{ id: server.texts[1]?.id, delivered: true }] } });
    await expect(page.getByText(t('campaigns:textTerm.delivered'), { exact: true })).toBeVisible();
    await expect(page.getByText('50%').first()).toBeVisible({ timeout: 20_000 });
    expect(await seriousFindings(page)).toEqual([]);
  } finally {
    if (account !== '') await api.call('DELETE', `/channels/${account}`);
    for (const each of people) await api.remove('customer', each.id);
    await server.close();
  }
});
