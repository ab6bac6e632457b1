// Screenshots for eyes: node e2e/shots.mjs [base] [out] [name,name]. Needs the interface at `base` with GUANXI_KIT=1.
import fs from 'node:fs';
import { chromium } from 'playwright-core';

const base = process.argv[2] ?? 'http://127.0.0.1:5173';
const out = process.argv[3] ?? 'shots';
const only = process.argv[4]?.split(',');
fs.mkdirSync(out, { recursive: true });

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

/** name, path, { theme, lang, size, act } */
const shots = [
  ['sign-in-zh', '/sign-in', {}],
  ['sign-in-en-dark', '/sign-in', { lang: 'en', theme: 'dark' }],
  ['setup-zh', '/setup', { setup: true }],
  ['setup-phone-en', '/setup', { setup: true, size: phone, lang: 'en' }],
  ['shell-zh', '/', {}],
  ['shell-en-dark', '/o/customer', { lang: 'en', theme: 'dark' }],
  ['shell-phone', '/', { size: phone }],
  ['nav-phone', '/', { size: phone, act: (page) => page.getByRole('button', { name: '更多' }).click() }],
  ['palette-zh', '/', { act: (page) => page.keyboard.press('Control+k') }],
  [
    'palette-find',
    '/',
    {
      act: async (page) => {
        await page.keyboard.press('Control+k');
        await page.keyboard.type('kh');
      },
    },
  ],
  [
    'palette-dark',
    '/',
    {
      theme: 'dark',
      lang: 'en',
      act: async (page) => {
        await page.keyboard.press('Control+k');
        await page.keyboard.type('王');
      },
    },
  ],
  ['help', '/', { act: (page) => page.keyboard.press('?') }],
  ['account', '/', { act: (page) => page.getByRole('button', { name: '林晓晴' }).click() }],
  ['kit-zh', '/dev/kit', { full: true }],
  ['kit-dark-en', '/dev/kit', { theme: 'dark', lang: 'en', full: true }],
  ['kit-phone', '/dev/kit', { size: phone, full: true }],
  ['kit-picker', '/dev/kit', { act: (page) => page.getByRole('button', { name: /累计消费/ }).click() }],
  ['settings', '/settings', {}],
  ['peek', '/o/customer?peek=customer:PEEK', {}],
  ['missing', '/o/nothing', {}],
];

const problems = [];
for (const [name, path, options] of shots) {
  if (only && !only.some((part) => name.includes(part))) continue;
  const { theme = 'light', lang = 'zh-CN', size = desktop, act, setup, full } = options;
  const context = await browser.newContext({
    viewport: size,
    deviceScaleFactor: 1,
    hasTouch: size === phone,
    isMobile: size === phone,
    colorScheme: theme,
  });
  await context.addInitScript(
    ([t, l]) => {
      localStorage.setItem('guanxi.theme', t);
      localStorage.setItem('guanxi.lang', l);
    },
    [theme, lang],
  );
  const page = await context.newPage();
  page.on(
    'console',
    (message) => message.type() === 'error' && problems.push(`${name}: ${message.text().slice(0, 400)}`),
  );
  page.on('pageerror', (error) => problems.push(`${name}: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith('data:'))
      problems.push(`${name}: foreign request ${request.url()}`);
  });
  if (setup)
    await page.route('**/api/v1/setup', (route) =>
      route.request().method() === 'GET'
        ? route.fulfill({ json: { needed: true, demo_available: true } })
        : route.continue(),
    );
  await page.goto(base + path, { waitUntil: 'networkidle', timeout: 15000 }).catch(() => undefined);
  if (act) {
    await act(page);
    await page.waitForTimeout(600);
  }
  await page.waitForTimeout(300);
  if (full) {
    const height = await page.evaluate(() =>
      Math.max(
        ...[...document.querySelectorAll('main *')].map((e) =>
          e.scrollHeight > e.clientHeight && getComputedStyle(e).overflowY === 'auto' ? e.scrollHeight + 60 : 0,
        ),
        innerHeight,
      ),
    );
    await page.setViewportSize({ ...size, height: Math.min(4200, height) });
    await page.waitForTimeout(300);
  }
  await page.screenshot({ path: `${out}/${name}.png` });
  await context.close();
}
await browser.close();
for (const problem of problems) console.log(problem);
console.log(`shots in ${out}`);
