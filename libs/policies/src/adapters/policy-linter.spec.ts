import { describe, expect, it } from 'vitest';
import { lintPolicy } from '../lint/lint-policy.js';
import { policyInput } from '../testing/house-policy.js';
import { LINT_LIMITS, PolicyLinter } from './policy-linter.js';

const TEXT = JSON.stringify(policyInput(), undefined, 2);
const BROKEN = TEXT.replace('"currency"', '"curency"');

describe('a lint in a process of its own', () => {
  it('finds what a lint finds, and leaves the event loop alone meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const found = await new PolicyLinter().lint(BROKEN);
    clearInterval(timer);
    expect(found).toEqual(lintPolicy(BROKEN));
    expect(found).not.toEqual([]);
    expect(turns).toBeGreaterThan(0);
  });

  it('has as much time as it has, and then is refused', async () => {
    const refused = new PolicyLinter({ ...LINT_LIMITS, msMax: 1 }).lint(TEXT);
    await expect(refused).rejects.toMatchObject({ code: 'policy.lint_too_much', hints: { limit: 'lintMsMax=1' } });
  });

  it('is refused as busy, not as too much, where the machine lets its process not begin', async () => {
    const refused = new PolicyLinter({ ...LINT_LIMITS, startMsMax: 1 }).lint(TEXT);
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable', code: 'policy.lint_busy' });
  });

  it('takes as much memory as it may, and then is refused', async () => {
    const refused = new PolicyLinter({ ...LINT_LIMITS, heapMiBMax: 8 }).lint(TEXT);
    await expect(refused).rejects.toMatchObject({ code: 'policy.lint_too_much', hints: { limit: 'lintHeapMiBMax=8' } });
  });

  it('waits for its turn, one after another, and is refused where too many wait', async () => {
    const linter = new PolicyLinter({ ...LINT_LIMITS, waitingMax: 1 });
    const [first, second, third] = [linter.lint(TEXT), linter.lint(TEXT), linter.lint(TEXT)];
    await expect(third).rejects.toMatchObject({ code: 'policy.lint_busy' });
    expect(await Promise.all([first, second])).toEqual([lintPolicy(TEXT), lintPolicy(TEXT)]);
    expect(await linter.lint(TEXT)).toEqual(lintPolicy(TEXT));
  });
});
