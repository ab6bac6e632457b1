import { expect, type Locator, type Page, toast, type Words } from './support';

/** The label of an input for a name in the language on screen: "名称（中文）". */
export const nameIn = (t: Words, key: string, locale: string | undefined): string =>
  t(locale?.startsWith('zh') ? 'shape:in.zh-CN' : 'shape:in.en', { name: t(key) });

const startWith = async (page: Page, t: Words, words: [string, string], label: string, locale?: string) => {
  await page.getByRole('button', { name: t('shape:field.add'), exact: true }).click();
  const panel = page.getByRole('dialog');
  await panel
    .getByRole('button', { name: new RegExp(`^${words[0]}\\s*${words[1].replace(/[.*+?()]/g, '\\$&')}`) })
    .click();
  await panel.getByRole('textbox', { name: nameIn(t, 'shape:field.name', locale), exact: true }).fill(label);
  return panel;
};

/** Opens the panel for a new field of a type and gives it its name. */
export const startField = (page: Page, t: Words, type: string, label: string, locale?: string): Promise<Locator> =>
  startWith(page, t, [t(`settings:type.${type}`), t(`shape:typeHelp.${type}`)], label, locale);

export type Computed = 'formula' | 'lookup' | 'rollup';
/** The same for a field that is worked out. */
export const startComputed = (page: Page, t: Words, kind: Computed, label: string, locale?: string): Promise<Locator> =>
  startWith(page, t, [t(`formula:${kind}.name`), t(`formula:${kind}.help`)], label, locale);

/** Adds the field of the panel and waits for its row. */
export async function addField(page: Page, t: Words, panel: Locator, label: string): Promise<void> {
  await panel.getByRole('button', { name: t('shape:field.add'), exact: true }).click();
  await expect(toast(page, t('shape:field.added', { name: label }))).toBeVisible();
  await expect(panel).toHaveCount(0);
  await expect(page.getByRole('table').getByRole('button', { name: label, exact: true })).toBeVisible();
}
