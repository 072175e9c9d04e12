import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly any: readonly { readonly message: string }[] }[];
}

/**
 * What axe finds in the page as it stands: the rule, what it wants, and each place. Its rules of WCAG 2.2 A and AA and its best practices;
 * contrast is measured by `auditPage`, in every look, at a tenth of the cost.
 */
export async function axeFindings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(`'axe' in window`))) await page.evaluate(AXE);
  const violations = (await page.evaluate(RUN)) as Finding[];
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, any }) => `${id} (${help}): ${html.slice(0, 160)} ${any[0]?.message ?? ''}`),
  );
}

const RUN = `axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true }, 'color-contrast': { enabled: false } } }).then(({ violations }) => violations)`;
