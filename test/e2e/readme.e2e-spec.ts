import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, type Installation, startInstallation } from '../world/installation.js';

let installation: Installation;

beforeAll(async () => void (installation = await startInstallation()), 300_000);
afterAll(() => installation?.stop(), 60_000);

/** The shell blocks that a page marks as ones a reader can run. */
function runnableBlocks(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/<!-- run -->\s*```sh\n([\s\S]*?)```/g)].map((match) => match[1]!);
}

/** Runs a block as a reader would, with bash, only its folder replaced by that of this test's installation. */
function runBlock(block: string): Promise<CommandResult> {
  const script = `set -euo pipefail\n${block.replaceAll('.tallystick/', `${installation.home}/`)}`;
  const env = { ...process.env, TALLYSTICK_HOME: installation.home };
  return new Promise((resolve) => {
    execFile('bash', ['-c', script], { env, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? 1 : 0, stdout, output: `${stdout}\n${stderr}` });
    });
  });
}

describe('a page that runs', () => {
  it('signs, submits, decides, polls, exports and verifies with curl and openssl only', async () => {
    const { code, output } = await runBlock(runnableBlocks('README.md').join('\n'));
    expect(output).toContain('"receipt"');
    expect(output).toContain('"logIndex"');
    expect(output).toContain('"outcome":"ALLOW"');
    expect(output).toContain('"moreAvailable"');
    expect({ code, tail: output.slice(-2_000) }).toMatchObject({ code: 0 });
  }, 120_000);

  it('takes a bank to its first signed record, shows how to check our answer, and enrols a third bank', async () => {
    const { code, stdout, output } = await runBlock(runnableBlocks('apps/gateway/README.md').join('\n'));
    expect({ code, tail: output.slice(-2_000) }).toMatchObject({ code: 0 });
    expect(stdout).toContain('"state":"ACTIVE"');
    expect(stdout).toMatch(/"accepted":true.*"request":\{"accepted":true/);
    expect(stdout).toContain('"receipt"');
    expect(stdout).toContain('"$id": "urn:tallystick:schema:rating:');
    expect(stdout).toContain('the body is the one that was signed');
    expect(stdout).toContain('Signature Verified Successfully');
    expect(stdout).toContain('"lines":{"total":3,"done":3,"accepted":0,"repeated":2,"refused":1}');
    expect(stdout).toContain('{"line":2,"outcome":"REFUSED","code":"signature.malformed"');
    expect(stdout).toMatch(/inclusion {3}passed[^]*\nrevocation {2}passed[^]*\nVERIFIED {4}the record is its issuer’s/);
    expect(stdout).toMatch(/"state":"ACTIVE","version":2,"by":"SUBJECT".*"claims":\["band"\].*\.[\w-]+~[\w-]+~/s);
    expect(stdout).toMatch(/\{"answer":"Y"\}\n\{"answer":"Y"\}/);
    expect(stdout).toMatch(/"state":"REVOKED".*"code":"consent.required".*"uses":\[\{"n":1,.*"uses":\[\{"consent":"cns_/s);
    expect(stdout).toMatch(/"disputes":\[\{"id":"dsp_[^]*"state":"CLOSED".*"outcome":"VERIFIED"/);
    expect(stdout).toMatch(/"state":"RECEIVED".*"controlTotals":\{"balanced":true/);
    expect(stdout).toContain('"id":"bank-c","name":"Bank C","state":"ACTIVE","missing":[]');
  }, 120_000);

  it('takes a service to its first decision, through a lost answer and an outage', async () => {
    const { code, stdout, output } = await runBlock(runnableBlocks('apps/decision-api/README.md').join('\n'));
    expect({ code, tail: output.slice(-2_000) }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/"outcome":"ALLOW".*"reservation":\{"id":"rsv_/);
    expect(stdout).toMatch(/^idempotency-hit: true/im);
    expect(stdout).toMatch(/"state":"CONFIRMED".*"confirmed":\{"amount":"45.00"/);
    expect(stdout).toContain('Signature Verified Successfully');
    const settled = [...stdout.matchAll(/"spent":\{"amount":"12.50","currency":"CNY"\},"spends":1.*"result":"SETTLED"/g)];
    expect(settled).toHaveLength(2);
    expect(stdout).toContain('"services":[');
  }, 120_000);

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = ['README.md', 'CONTRIBUTING.md'].flatMap((page) => [
      ...readFileSync(page, 'utf8').matchAll(/npm run (?:-s )?([a-z:]+)/g),
    ]);
    expect(named.length).toBeGreaterThan(5);
    for (const [, name] of named) expect(scripts, name).toHaveProperty([name!]);
  });

  it('links only to files that exist', () => {
    const links = [...readFileSync('README.md', 'utf8').matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]!);
    for (const link of links) expect(() => readFileSync(path.resolve(link)), link).not.toThrow();
  });
});
