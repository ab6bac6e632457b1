// Sends COUNT events by an SDK as it is published: drive.mjs SDK URL KEY COUNT. Event n happened n minutes before the start.
import { createRequire } from 'node:module';

const [sdk, url, key, count] = process.argv.slice(2);
const begun = Date.now();
const when = (n) => new Date(begun - n * 60_000);

async function segment() {
  const { Analytics } = await import('@segment/analytics-node');
  const analytics = new Analytics({ writeKey: key, host: url, path: '/v1/batch', flushAt: 20, flushInterval: 50, maxRetries: 200 });
  const failed = [];
  analytics.on('error', (e) => failed.push(String(e.reason?.message ?? e.code ?? e)));
  for (let n = 0; n < Number(count); n++) {
    analytics.track({ userId: `u${n % 7}`, event: 'Tested', timestamp: when(n), properties: { n, at: when(n).getTime() } });
  }
  await analytics.closeAndFlush({ timeout: 50_000 });
  if (failed.length > 0) throw new Error(failed.join('; '));
}

async function sensors() {
  const Sensors = createRequire(import.meta.url)('sa-sdk-node');
  const sa = new Sensors();
  const failed = [];
  let sent = 0;
  const submitter = sa.submitTo({ url: `${url}/sa?project=default&token=${key}`, gzip: true, mode: 'track', timeout: 10_000 }, { count: 10 });
  submitter.catch((e) => failed.push(String(e)));
  const done = new Promise((resolve) => {
    submitter.subscribe(() => {
      sent += 10;
      if (sent >= Number(count)) resolve();
    }, resolve);
  });
  for (let n = 0; n < Number(count); n++) {
    sa.track(`d${n % 7}`, 'Tested', { n, at: when(n).getTime(), $time: when(n) });
  }
  await done;
  if (failed.length > 0) throw new Error(failed.join('; '));
}

await (sdk === 'segment' ? segment() : sensors());
