import net from 'node:net';
import { seriousFindings } from './axe';
import { settled } from './pages';
import { expect, pick, test, toast } from './support';

interface Mail {
  to: string;
  data: string;
}

/** A mail server that takes everything and keeps it. */
async function mailServer(): Promise<{ port: number; mails: Mail[]; close: () => Promise<void> }> {
  const mails: Mail[] = [];
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    let rest = '';
    let to = '';
    let data: string[] | null = null;
    const say = (line: string) => socket.write(`${line}\r\n`);
    say('220 test');
    const hear = (line: string) => {
      if (data !== null) {
        if (line === '.') {
          mails.push({ to, data: data.join('\n') });
          data = null;
          say('250 taken');
        } else data.push(line);
        return;
      }
      const command = line.slice(0, 4).toUpperCase();
      if (command === 'RCPT') to = /<(.*)>/.exec(line)?.[1] ?? '';
      if (command === 'DATA') {
        data = [];
        say('354 go on');
      } else if (command === 'QUIT') {
        say('221 bye');
        socket.end();
      } else say('250 ok');
    };
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8');
      for (let at = rest.indexOf('\r\n'); at >= 0; at = rest.indexOf('\r\n')) {
        const line = rest.slice(0, at);
        rest = rest.slice(at + 2);
        hear(line);
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    close: () =>
      new Promise((done) => {
        for (const socket of open) socket.destroy();
        server.close(() => done());
      }),
  };
}

test('a mail server is added and tried, and a mail goes to a customer', async ({ page, t, api, faults }) => {
  faults.allow(/^request: 422 POST \/api\/v1\/mail\/profiles/);
  const server = await mailServer();
  const customer = await api.create('customer', { kind: 'person', name: '收信客户', email: 'shouxin@example.org' });
  try {
    await page.goto('/settings/mail');
    await settled(page);
    await page
      .getByRole('button', { name: t('mail:add') })
      .first()
      .click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: t('mail:name'), exact: true }).fill('测试邮箱');
    await form.getByRole('textbox', { name: t('mail:host'), exact: true }).fill('10.0.0.8');
    await form.getByRole('textbox', { name: t('mail:fromAddress'), exact: true }).fill('crm@example.com');
    await form.getByRole('button', { name: t('common:create'), exact: true }).click();
    await expect(form.getByRole('textbox', { name: t('mail:host'), exact: true })).toHaveAttribute(
      'aria-invalid',
      'true',
    );
    await form.getByRole('textbox', { name: t('mail:host'), exact: true }).fill('127.0.0.1');
    await pick(form, t('mail:security'), t('mail:securityOf.none'));
    await form.getByRole('textbox', { name: t('mail:port') }).fill(String(server.port));
    expect(await seriousFindings(page)).toEqual([]);
    await form.getByRole('button', { name: t('common:create'), exact: true }).click();
    const shown = page.getByRole('dialog', { name: '测试邮箱' });
    await shown.getByRole('textbox', { name: t('mail:test.to') }).fill('probe@example.org');
    await shown.getByRole('button', { name: t('mail:test.send') }).click();
    await expect(shown.getByText(t('mail:test.ok'))).toBeVisible();
    expect(server.mails.map((mail) => mail.to)).toEqual(['probe@example.org']);
    expect(await seriousFindings(page)).toEqual([]);

    await page.goto(`/o/customer/${customer.id}`);
    const composer = page.getByRole('region', { name: t('work:add'), exact: true });
    await composer.getByRole('button', { name: t('work:letter'), exact: true }).click();
    await page.getByRole('textbox', { name: t('letter:subject') }).fill('{{name}}，您好');
    await page.getByRole('textbox', { name: t('letter:text') }).fill('新品已到店，欢迎光临。');
    await page.getByRole('button', { name: t('letter:send'), exact: true }).click();
    await expect(toast(page, t('letter:sent'))).toBeVisible();
    await expect(page.getByText('收信客户，您好')).toBeVisible();
    await expect.poll(() => server.mails.map((mail) => mail.to)).toContain('shouxin@example.org');
  } finally {
    const { items } = await api.get<{ items: { id: string }[] }>('/mail/profiles');
    for (const profile of items) await api.call('DELETE', `/mail/profiles/${profile.id}`);
    await api.remove('customer', customer.id);
    await server.close();
  }
});
