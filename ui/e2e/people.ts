import type { Browser, BrowserContext } from '@playwright/test';
import { demo } from '../playwright.config';
import { Api, expect, Faults, type Page, type Words } from './support';

/** A browser of its own beside that of the test, and what its page did wrong. */
export interface Person {
  context: BrowserContext;
  page: Page;
  faults: Faults;
  api: Api;
}

/** Signed out, in the language of the project. */
export async function outside(browser: Browser, locale = 'zh-CN', more: { phone?: boolean } = {}): Promise<Person> {
  const context = await browser.newContext({
    baseURL: demo.url,
    locale,
    storageState: { cookies: [], origins: [] },
    ...(more.phone && { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }),
  });
  const page = await context.newPage();
  const faults = new Faults();
  faults.allow(/401 GET \/api\/v1\/me/);
  faults.watch(page);
  return { context, page, faults, api: new Api(page.request) };
}

export async function enterPassword(page: Page, t: Words, email: string, password: string): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel(t('auth:email')).fill(email);
  await page.getByRole('textbox', { name: t('auth:password') }).fill(password);
  await page.getByRole('button', { name: t('auth:signIn.submit') }).click();
}

/** Signs in through the form and waits until the program stands. */
export async function signIn(person: Person, t: Words, email: string, password: string): Promise<void> {
  await enterPassword(person.page, t, email, password);
  await expect(person.page.getByRole('navigation').first()).toBeVisible();
}
