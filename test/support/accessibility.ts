import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** Only the first rows of a list are examined, because all rows have the same structure. */
const EXAMINED = { exclude: '.rows li:nth-child(n + 5)' };

/**
 * Finds serious violations of axe's rules for accessibility. axe stays in the page: to load it takes longer than to run it.
 * @param rules the names of those to examine; all by default
 * @returns each violated rule with the HTML of the first element that violates it
 * @see https://github.com/dequelabs/axe-core/blob/develop/doc/API.md
 */
export async function seriousViolations(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source);
  const options = { resultTypes: ['violations'], ...(rules && { runOnly: rules }) };
  const { violations } = await page.evaluate<axe.AxeResults>(
    `axe.run(${JSON.stringify(EXAMINED)}, ${JSON.stringify(options)})`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
