import fs from 'node:fs';
import path from 'node:path';
import { type APIRequestContext, test as base, expect, type Locator, type Page } from '@playwright/test';

export { expect, type Locator, type Page } from '@playwright/test';

/** Says a text of the interface in the language of the project: `t('records:list.new')`. Tests follow a better word. */
export type Words = (key: string, values?: Record<string, string | number>) => string;

const folder = path.resolve(import.meta.dirname, '../src/i18n');
const files = new Map<string, Record<string, unknown>>();

function lookUp(language: string, key: string): string | undefined {
  const [namespace = '', inner = ''] = key.split(':');
  const name = `${language}/${namespace}`;
  let words = files.get(name);
  if (words === undefined) {
    words = JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8')) as Record<string, unknown>;
    files.set(name, words);
  }
  let found: unknown = words;
  for (const part of inner.split('.')) found = (found as Record<string, unknown> | undefined)?.[part];
  return typeof found === 'string' ? found : undefined;
}

export function wordsOf(locale: string): Words {
  const language = locale.startsWith('zh') ? 'zh-CN' : 'en';
  return (key, values = {}) => {
    const plural = values.count === 1 ? 'one' : 'other';
    const text = lookUp(language, key) ?? lookUp(language, `${key}_${plural}`);
    if (text === undefined) throw new Error(`no words ${language} ${key}`);
    return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(values[name] ?? ''));
  };
}

/** What a page did that it must not: exceptions, messages on the console, failing requests, foreign addresses. */
export class Faults {
  private readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];

  watch(page: Page): void {
    page.on('pageerror', (error) => this.seen.push(`exception: ${error.message}`));
    page.on('console', (message) => {
      // A failing request is reported below, with its address.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.seen.push(`console: ${message.text().slice(0, 400)}`);
    });
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() >= 400)
        this.seen.push(`request: ${response.status()} ${response.request().method()} ${pathname}`);
    });
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? '';
      // Left pages give up their questions, and a download is not a page.
      if (why !== 'net::ERR_ABORTED') this.seen.push(`request: ${why} ${request.url()}`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      const own = url.protocol === 'data:' || url.protocol === 'blob:' || url.hostname === '127.0.0.1';
      if (!own) this.seen.push(`foreign: ${request.url()}`);
    });
  }

  /** A test that provokes an answer such as 422 says so. */
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  get list(): string[] {
    return this.seen.filter((fault) => !this.allowed.some((pattern) => pattern.test(fault)));
  }
}

export interface RecordData {
  id: string;
  title: string;
  version: number;
  fields: Record<string, unknown>;
}

/** The API with the session of the page, for what a test needs beside the interface. */
export class Api {
  private csrf = '';

  constructor(private readonly request: APIRequestContext) {}

  private async token(): Promise<string> {
    if (this.csrf === '') {
      const me = await this.request.get('/api/v1/me');
      this.csrf = ((await me.json()) as { csrf: string }).csrf;
    }
    return this.csrf;
  }

  async call(method: string, address: string, data?: unknown, headers: Record<string, string> = {}) {
    if (method !== 'GET') await this.token();
    return await this.request.fetch(`/api/v1${address}`, {
      method,
      headers: { 'X-CSRF-Token': this.csrf, ...headers },
      ...(data !== undefined && { data }),
    });
  }

  async json<T>(method: string, address: string, data?: unknown, headers?: Record<string, string>): Promise<T> {
    const response = await this.call(method, address, data, headers);
    if (!response.ok()) throw new Error(`${method} ${address}: ${response.status()} ${await response.text()}`);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Sends a small file as a form does. */
  async upload<T>(address: string, fields: Record<string, string>, name: string, text: string): Promise<T> {
    const response = await this.request.post(`/api/v1${address}`, {
      headers: { 'X-CSRF-Token': await this.token() },
      multipart: { ...fields, file: { name, mimeType: 'text/csv', buffer: Buffer.from(text) } },
    });
    if (!response.ok()) throw new Error(`POST ${address}: ${response.status()} ${await response.text()}`);
    return (await response.json()) as T;
  }

  get = <T>(address: string) => this.json<T>('GET', address);
  post = <T>(address: string, data: unknown) => this.json<T>('POST', address, data);

  /** The first records of an object that fulfil a condition. */
  async find(object: string, query: Record<string, unknown> = {}): Promise<RecordData[]> {
    const page = await this.post<{ items: RecordData[] }>(`/records/${object}/query`, { limit: 20, ...query });
    return page.items;
  }

  async create(object: string, fields: Record<string, unknown>): Promise<RecordData> {
    return await this.post<RecordData>(`/records/${object}`, { fields });
  }

  async remove(object: string, id: string): Promise<void> {
    const { version } = await this.get<RecordData>(`/records/${object}/${id}`);
    await this.json('DELETE', `/records/${object}/${id}`, undefined, { 'If-Match': `"${version}"` });
  }
}

interface Fixtures {
  t: Words;
  faults: Faults;
  api: Api;
}

/** Every test ends by asking whether its page threw, complained or called elsewhere. */
export const test = base.extend<Fixtures>({
  t: async ({ locale }, use) => use(wordsOf(locale ?? 'zh-CN')),
  api: async ({ page }, use) => use(new Api(page.request)),
  faults: [
    async ({ page }, use) => {
      const faults = new Faults();
      faults.watch(page);
      await use(faults);
      base.expect(faults.list, 'nothing thrown, logged, refused or asked elsewhere').toEqual([]);
    },
    { auto: true },
  ],
});

/** Chooses from a select by what its option says; `typed` narrows a long list first. */
export async function pick(
  within: Page | Locator,
  label: string,
  option: string | RegExp,
  typed?: string,
): Promise<void> {
  const box = within.getByRole('combobox', { name: label, exact: true });
  const page = 'page' in within ? within.page() : within;
  await box.click();
  if (typed !== undefined) await box.fill(typed);
  const exact = typeof option === 'string';
  await page.getByRole('option', { name: option, exact }).first().click();
}

/** The short news at the lower edge. */
export const toast = (page: Page, text: string | RegExp): Locator =>
  page.getByRole('status').or(page.getByRole('alert')).filter({ hasText: text }).last();

/** Deletes a saved view by the menu of its tab. */
export async function deleteView(page: Page, t: Words, name: string): Promise<void> {
  const tabs = page.getByRole('navigation', { name: t('views:view.label') });
  await tabs.getByRole('button', { name: t('views:view.options', { name }) }).click();
  await page.getByRole('menuitem', { name: t('common:delete') }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('common:delete') })
    .click();
  await expect(tabs.getByText(name, { exact: true })).toHaveCount(0);
}

export const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The list of exactly these records, whatever else is there. */
export const listOf = (object: string, ids: readonly string[], more = ''): string =>
  `/o/${object}?where=${base64url({ field: 'id', op: 'in', value: ids })}${more}`;

/** Builds one condition by hand: what it is about, how it compares, with what. */
export async function condition(
  within: Locator | Page,
  t: Words,
  subject: string,
  operator: string,
  value: string,
): Promise<void> {
  const page = 'page' in within ? within.page() : within;
  await within.getByRole('button', { name: t('conditions:pick.choose') }).click();
  await page.getByRole('textbox', { name: t('conditions:pick.search') }).fill(subject);
  await page.getByRole('option', { name: subject, exact: true }).click();
  await pick(within, t('conditions:operator'), operator);
  await within.getByRole('textbox', { name: subject }).fill(value);
}

/** Takes the newest join of a person back on the tab of identities, and waits until that is said. */
export async function undoJoin(page: Page, t: Words): Promise<void> {
  const name = t('identities:undo');
  await page.getByRole('tabpanel').getByRole('button', { name }).first().click();
  await page.getByRole('dialog').getByRole('button', { name }).click();
  await expect(toast(page, t('identities:undone'))).toBeVisible();
}
