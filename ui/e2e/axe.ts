import path from 'node:path';
import { expect, type Page } from './support';

const script = path.resolve(import.meta.dirname, '../node_modules/axe-core/axe.min.js');

interface Violation {
  id: string;
  impact: string | null;
  nodes: { target: string[]; failureSummary?: string }[];
}
interface AxeRun {
  run: (context: unknown, options: unknown) => Promise<{ violations: Violation[] }>;
}

/** What axe-core finds serious or critical on the page as it stands. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Evaluated, not added as a script: the page's own policy allows no foreign one.
  const loaded = await page.evaluate(() => 'axe' in globalThis);
  if (!loaded) await page.evaluate((await import('node:fs')).readFileSync(script, 'utf8'));
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: AxeRun };
    const result = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      resultTypes: ['violations'],
    });
    return result.violations;
  });
  return violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .flatMap((violation) =>
      violation.nodes.slice(0, 5).map((node) => {
        const why = (node.failureSummary ?? '').split('\n')[1]?.trim() ?? '';
        return `${violation.id} ${node.target.join(' ')}: ${why}`;
      }),
    );
}

export async function expectAccessible(page: Page, name: string): Promise<void> {
  expect.soft(await seriousFindings(page), `axe finds nothing serious on ${name}`).toEqual([]);
}
