import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { defineConfig } from '@playwright/test';

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** The built program; another one can be named while trying things. */
const program = process.env.GUANXI_PROGRAM ?? path.resolve(import.meta.dirname, '../bin/guanxi');

// One folder for all processes of a run: the servers' data, made anew. Traces and pictures of failures stay in it.
const newFolder = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guanxi-e2e-'));
  process.on('exit', () => {
    for (const server of ['demo', 'empty', 'second'])
      fs.rmSync(path.join(folder, server), { recursive: true, force: true });
  });
  return folder;
};
const data = process.env.GUANXI_E2E_DATA ?? newFolder();
process.env.GUANXI_E2E_DATA = data;
process.env.GUANXI_E2E_SESSION = path.join(data, 'session.json');

/** The demo company, and two empty programs for first runs. Another port lets two runs share a machine. */
const port = Number(process.env.GUANXI_E2E_PORT ?? 8311);
export const demo = { url: `http://127.0.0.1:${port}`, email: 'demo@guanxi.example', password: 'demo-password-1' };
export const empty = { url: `http://127.0.0.1:${port + 1}` };
export const second = { url: `http://127.0.0.1:${port + 2}` };

const launchOptions = {
  executablePath: chromium,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};
const desktop = { viewport: { width: 1440, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const signedIn = { storageState: process.env.GUANXI_E2E_SESSION, baseURL: demo.url };

export default defineConfig({
  testDir: './e2e',
  outputDir: path.join(data, 'results'),
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  // Only the tests without a connection keep the program's files; in all others each page is as the server has it.
  use: {
    serviceWorkers: 'block',
    launchOptions,
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'sign-in', testMatch: 'sign-in.setup.ts', use: { ...desktop, locale: 'zh-CN', baseURL: demo.url } },
    { name: 'first-run', testMatch: 'first-run.spec.ts', use: { ...desktop, locale: 'en-GB', baseURL: empty.url } },
    { name: 'demo', testMatch: 'demo.spec.ts', use: { ...desktop, locale: 'zh-CN', baseURL: second.url } },
    {
      name: 'zh',
      testIgnore: ['first-run.spec.ts', 'demo.spec.ts', 'phone.spec.ts', 'touch.spec.ts'],
      dependencies: ['sign-in'],
      use: { ...desktop, ...signedIn, locale: 'zh-CN' },
    },
    {
      name: 'en',
      testMatch: [
        'tour.spec.ts',
        'axe.spec.ts',
        'segment.spec.ts',
        'shape.spec.ts',
        'offline.spec.ts',
        'keyboard.spec.ts',
        'behaviour-walk.spec.ts',
      ],
      dependencies: ['sign-in'],
      use: { ...desktop, ...signedIn, locale: 'en-GB', colorScheme: 'dark' },
    },
    {
      name: 'phone',
      testMatch: ['tour.spec.ts', 'phone.spec.ts', 'touch.spec.ts'],
      dependencies: ['sign-in'],
      use: { ...phone, ...signedIn, locale: 'zh-CN' },
    },
  ],
  webServer: [
    {
      command: `${program} serve --demo --demo-customers 3000 --demo-password ${demo.password} --data ${data}/demo --addr 127.0.0.1:${port} --mail-networks 127.0.0.0/8 --channel-networks 127.0.0.0/8 --login-networks 127.0.0.0/8 --log-level warn`,
      url: `${demo.url}/readyz`,
      timeout: 240_000,
    },
    {
      command: `${program} serve --data ${data}/empty --addr 127.0.0.1:${port + 1} --log-level warn`,
      url: `${empty.url}/readyz`,
      timeout: 60_000,
    },
    {
      command: `${program} serve --data ${data}/second --addr 127.0.0.1:${port + 2} --log-level warn`,
      url: `${second.url}/readyz`,
      timeout: 60_000,
    },
  ],
});
