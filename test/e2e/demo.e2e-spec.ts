import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Installation, startInstallation } from '../world/installation.js';

let installation: Installation;

beforeAll(async () => void (installation = await startInstallation()), 300_000);
afterAll(() => installation?.stop(), 60_000);

describe('npm run demo', () => {
  it('tells the whole story and exits 0', async () => {
    const { code, output } = await installation.command(['demo']);
    expect(output).toContain('The whole story held');
    expect(code).toBe(0);
  }, 120_000);

  it.each([
    ['draft', 'it counts the payments that would have been reviewed'],
    ['violation', 'the very next decision is DENY'],
    ['consent', 'once revoked, the very next read is refused'],
    ['dispute', 'it was a mistake: bank B withdraws it, and the very next decision is ALLOW'],
    ['statement', 'it names exactly the planted breaks'],
    ['flip', 'verification fails'],
  ])(
    'notices when the effect of one step is undone: %s',
    async (sabotage, broken) => {
      const { code, output } = await installation.command(['demo', '--sabotage', sabotage]);
      expect(output).toContain(`expected that ${broken}`);
      expect(code).toBe(1);
    },
    120_000,
  );

  it('says what to do where another policy decides', async () => {
    const sample = JSON.parse(readFileSync('prisma/seed/policy.json', 'utf8')) as object;
    const file = path.join(installation.home, 'second-policy.json');
    writeFileSync(file, JSON.stringify({ ...sample, version: 2 }));
    for (const step of [
      ['draft', file, '--author', 'ann'],
      ['approve', '--version', '2', '--approver', 'bob'],
      ['activate', '--version', '2', '--by', 'olga'],
    ])
      expect(await installation.command(['policy', ...step])).toMatchObject({ code: 0 });
    const { code, output } = await installation.command(['demo']);
    expect(output).toContain('demo.other_policy: the story is told on the sample policy, but standard 2 decides here');
    expect(code).toBe(1);
  }, 120_000);
});
