import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type supertest from 'supertest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatVkey, memoryReader, readBundleKeys } from '#evidence';
import { type DecisionReceiptCase, decisionReceiptCase } from '#evidence/testing/decision-receipt-case';
import { recordEvidenceCase } from '#evidence/testing/record-evidence-case';
import { axeFindings } from './axe.js';
import { browserPath, buildWebApp, launchBrowser, screenshot, watchedPage } from './browser.js';
import { signedIn } from './console-client.js';
import { type ConsoleWorld, nameOf, openConsoleWorld } from './console-world.js';
import { auditPage } from './page-audit.js';

const chromium = browserPath();
/** The bytes of an answer. */
const binary = (answer: supertest.Response, done: (error: Error | null, body: Buffer) => void): void => {
  const parts: Buffer[] = [];
  (answer as unknown as NodeJS.ReadableStream)
    .on('data', (part: Buffer) => parts.push(part))
    .on('end', () => done(null, Buffer.concat(parts)));
};

const NARROW = { width: 400, height: 860 };

describe.skipIf(chromium === undefined)('verifying in a browser', () => {
  let world: ConsoleWorld;
  let decision: DecisionReceiptCase;
  let browser: Browser;
  let web: { folder: string; remove(): void };
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let sent: string[];

  beforeAll(async () => {
    [web, decision] = await Promise.all([buildWebApp(), decisionReceiptCase()]);
    world = await openConsoleWorld({}, web.folder);
    browser = await launchBrowser(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
    web?.remove();
  });
  beforeEach(() => openPage('light'));
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const openPage = async (colorScheme: 'light' | 'dark', viewport = { width: 1280, height: 800 }) => {
    await context?.close();
    context = await browser.newContext({ colorScheme, viewport, locale: 'en-GB' });
    ({ page, complaints } = await watchedPage(context, new URL(world.url).origin));
    await page.goto(`${world.url}/verify`);
    await page.getByLabel('Name').fill(nameOf('auditor'));
    await page.getByLabel('Password', { exact: true }).fill(world.password('auditor'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Verify', level: 1 }).waitFor();
    sent = [];
    page.on('request', (request) => sent.push(`${request.method()} ${new URL(request.url()).pathname}`));
  };
  const publish = (vkeys: string) => {
    mkdirSync(path.join(world.home, 'log'), { recursive: true });
    writeFileSync(path.join(world.home, 'log', 'vkey'), vkeys);
  };
  const paste = async (document: string) => {
    await page.getByLabel('Document').fill(document);
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
  };
  const trustPasted = async (keys: string) => {
    await page.getByLabel('Keys that I was given another way').check();
    await page.getByLabel('Public keys, one per line').fill(keys);
  };
  const found = () => page.getByRole('status', { name: 'What was found' });

  it('says that there are no keys yet, and takes pasted ones', async () => {
    await page.getByText('has no keys to hand out').waitFor();
    expect(await page.getByRole('button', { name: 'Verify', exact: true }).isDisabled()).toBe(true);
    await trustPasted(decision.vkeys);
    await paste(JSON.stringify(decision.answer));
    await found().getByText('Verified', { exact: true }).waitFor();
    await found().getByText('Decision dec_1: ALLOW').waitFor();
    expect(await found().getByText('Holds', { exact: true }).count()).toBe(5);
    expect(sent).toEqual([]);
  });

  it('verifies with the installation’s keys, a file too, and says where it stops', async () => {
    publish(decision.vkeys);
    await page.reload();
    await page.getByLabel('Keys of this installation').waitFor();
    const file = { name: 'receipt.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(decision.answer)) };
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByText('receipt.json').waitFor();
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
    await found().getByText('under the keys of this installation').waitFor();
    await page.getByRole('button', { name: 'Take another' }).click();
    expect(await found().count()).toBe(0);
    const other = await decisionReceiptCase();
    await paste(JSON.stringify({ ...decision.answer, proof: other.answer.proof }));
    await found().getByText('Not verified').waitFor();
    await found().getByText('note.unsigned').waitFor();
    await found().getByText('Not reached').waitFor();
  });

  it('says in words what it cannot read', async () => {
    publish(decision.vkeys);
    await page.reload();
    await paste('{"what":"is this"}');
    await page.getByRole('alert').getByText('This is no receipt').waitFor();
    await page.getByRole('alert').getByText('file.unknown').waitFor();
    await trustPasted('no key');
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
    await page.getByRole('alert').getByText('vkey.malformed').waitFor();
  });

  it('verifies a whole export, and finds the byte that was altered', async () => {
    const auditor = await signedIn(world, 'auditor');
    const asked = await auditor
      .send('post', '/api/exports', { from: '2026-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' })
      .expect(202);
    await world.runExports();
    const { body } = await auditor
      .get(`/api/exports/${(asked.body as { id: string }).id}/bundle`)
      .buffer()
      .parse(binary)
      .expect(200);
    const bundle = body as Buffer;
    const { log, export: exports } = await readBundleKeys(memoryReader(bundle));
    await trustPasted(`${log}\n${exports}`);
    const verify = async (buffer: Buffer) => {
      await page.locator('input[type=file]').setInputFiles({ name: 'day.tar', mimeType: 'application/x-tar', buffer });
      await page.getByRole('button', { name: 'Verify', exact: true }).click();
      await found().waitFor();
    };
    await verify(bundle);
    await found().getByText('Verified', { exact: true }).waitFor();
    expect(await found().getByText('Holds', { exact: true }).count()).toBe(6);
    await page.getByRole('button', { name: 'Take another' }).click();
    const altered = Buffer.from(bundle);
    altered[bundle.indexOf('staff.account_created')] = 'S'.charCodeAt(0);
    await verify(altered);
    await found().getByText('bundle.entry_altered').waitFor();
    expect(await found().getByText('Holds', { exact: true }).count()).toBe(4);
  });

  it('is open to every role', async () => {
    for (const role of ['compliance', 'risk', 'operator'] as const) await (await signedIn(world, role)).get('/api/log-keys').expect(200);
  });

  const looks = (['light', 'dark'] as const).flatMap((scheme) => [
    { scheme, size: 'wide', viewport: { width: 1280, height: 800 } },
    { scheme, size: 'narrow', viewport: NARROW },
  ]);
  it.each(looks)('looks right and reads well: $scheme, $size', async ({ scheme, size, viewport }) => {
    publish(decision.vkeys);
    await openPage(scheme, viewport);
    const look = async (name: string) => {
      await page.waitForTimeout(150);
      await screenshot(page, `verify-${name}-${scheme}-${size}`);
      expect([name, await auditPage(page)]).toEqual([name, []]);
      expect([name, await axeFindings(page)]).toEqual([name, []]);
    };
    await page.getByLabel('Keys of this installation').waitFor();
    await look('empty');
    await paste(JSON.stringify(decision.answer));
    await found().waitFor();
    await look('receipt');
    const { evidence, trust } = await recordEvidenceCase();
    await trustPasted([...trust.logKeys, ...trust.receiptKeys].map(formatVkey).join('\n'));
    await paste(JSON.stringify(evidence));
    await found().getByText('as far as a browser can').waitFor();
    await look('evidence');
    await paste(JSON.stringify({ ...evidence, receipt: decision.answer.receipt }));
    await found().getByText('Not verified').waitFor();
    await look('broken');
  });
});
