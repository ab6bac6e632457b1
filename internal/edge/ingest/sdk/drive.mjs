// Sends COUNT events by an SDK as it is published: drive.mjs node|sensors|next URL KEY COUNT USERS. Event n happened n minutes before the start and is
// of user n modulo USERS, those of a browser of its one user. next goes on sending until standard input ends.
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const [sdk, url, key, counted, people] = process.argv.slice(2);
const count = Number(counted);
const users = Number(people);
const require = createRequire(import.meta.url);
const begun = Date.now();
const when = (n) => new Date(begun - n * 60_000);
const properties = (n, who) => ({ n, at: when(n).getTime(), who });

async function node() {
  const { Analytics } = await import('@segment/analytics-node');
  const analytics = new Analytics({ writeKey: key, host: url, path: '/v1/batch', flushAt: 20, flushInterval: 50, maxRetries: 200 });
  const failed = [];
  analytics.on('error', (e) => failed.push(String(e.reason?.message ?? e.code ?? e)));
  for (let n = 0; n < users; n++) analytics.identify({ userId: `node-${n}`, traits: { name: `Node ${n}` } });
  for (let n = 0; n < count; n++) {
    const userId = `node-${n % users}`;
    analytics.track({ userId, event: 'Tested', timestamp: when(n), properties: properties(n, userId) });
    if (n % 10 === 0) {
      const order = { order_id: `order-${Math.floor(n / 20)}`, revenue: 12.5, currency: 'CNY' };
      analytics.track({ userId, event: 'Order Completed', timestamp: when(n), properties: order });
    }
    if (n % 200 === 199) await new Promise((resolve) => setTimeout(resolve, 5)); // a server that has other things to do
  }
  await analytics.closeAndFlush({ timeout: 600_000 });
  if (failed.length > 0) throw new Error(failed.join('; '));
}

async function sensors() {
  const Sensors = require('sa-sdk-node');
  const sa = new Sensors();
  const failed = [];
  let sent = 0;
  const perCall = 10;
  const calls = count / perCall + 1; // the last of a call that is not full would never be sent
  const to = { url: `${url}/sa?project=default&token=${key}`, gzip: true, mode: 'track', timeout: 300_000 };
  const submitter = sa.submitTo(to, { count: perCall });
  submitter.catch((e) => failed.push(String(e)));
  const done = new Promise((resolve) => {
    submitter.subscribe(() => {
      sent += 1;
      if (sent >= calls) resolve();
    }, resolve);
  });
  for (let n = 0; n < perCall; n++) {
    sa.profileSet(`sensors-${n % users}`, { name: `Sensors ${n % users}`, $is_login_id: true });
  }
  for (let n = 0; n < count; n++) {
    const who = `sensors-${n % users}`;
    sa.track(who, 'Tested', { ...properties(n, who), $time: when(n), $is_login_id: true });
  }
  await done;
  if (failed.length > 0) throw new Error(failed.join('; '));
}

/** A page on an origin of its own that loads analytics-next from its files, in Chromium. */
async function next() {
  const { chromium } = require('playwright-core');
  const folder = path.dirname(require.resolve('@segment/analytics-next/dist/umd/standalone.js'));
  const site = http.createServer((request, response) => {
    const name = path.basename(new URL(request.url, 'http://site').pathname);
    const file = path.join(folder, name);
    if (name.endsWith('.js') && fs.existsSync(file)) {
      response.writeHead(200, { 'Content-Type': 'text/javascript' });
      response.end(fs.readFileSync(file));
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>Shop</title><script src="/index.js"></script>');
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const context = await browser.newContext({
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  const send = page.evaluate(
    async ({ writeKey, apiHost, total, start }) => {
      const retries = { maxRetryCount: 100, maxRetryInterval: 1, baseBackoffInterval: 0.1, maxBackoffInterval: 1 };
      const [analytics] = await window.AnalyticsNext.AnalyticsBrowser.load(
        {
          writeKey,
          cdnSettings: {
            integrations: {
              'Segment.io': {
                apiKey: writeKey,
                apiHost,
                protocol: 'http',
                httpConfig: { rateLimitConfig: retries, backoffConfig: retries },
              },
            },
          },
        },
        { retryQueue: true },
      );
      await analytics.identify('next-0', { name: 'Next 0' });
      for (let from = 0; from < total; from += 50) {
        const some = Array.from({ length: Math.min(50, total - from) }, (_, i) => from + i);
        await Promise.all(
          some.map((n) => {
            const at = start - n * 60_000;
            return analytics.track('Tested', { n, at, who: 'next-0' }, { timestamp: new Date(at) });
          }),
        );
      }
    },
    { writeKey: key, apiHost: `${new URL(url).host}/v1`, total: count, start: begun },
  );
  await Promise.race([send.then(() => new Promise(() => {})), new Promise((resolve) => process.stdin.resume().on('end', resolve))]);
  await browser.close();
  site.close();
}

await { node, sensors, next }[sdk]();
process.exit(0);
