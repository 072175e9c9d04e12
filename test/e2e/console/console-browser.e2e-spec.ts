import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { axeFindings } from './axe.js';
import { browserPath, buildWebApp, launchBrowser, screenshot, watchedPage } from './browser.js';
import { type ConsoleWorld, nameOf, openConsoleWorld } from './console-world.js';
import { auditPage } from './page-audit.js';
import { seedStory, seedTraffic, type Story } from './seed-story.js';

const chromium = browserPath();
if (chromium === undefined && process.env['CI'] === 'true')
  throw new Error('CI must test the console in a browser: apt-get install chromium');

/** The other pages, and what each says once it is there. */
const REST = [
  ['restrictions', 'Nothing waits'],
  ['consents', 'Search for a subject or a consent'],
  ['disputes', 'Nothing is disputed'],
  ['reconciliations', 'That is all'],
  ['policies', 'No policy yet'],
] as const;

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 400, height: 860 };

describe.skipIf(chromium === undefined)('the console in a browser', () => {
  let world: ConsoleWorld;
  let story: Story;
  let browser: Browser;
  let web: { folder: string; remove(): void };
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    web = await buildWebApp();
    world = await openConsoleWorld({}, web.folder);
    story = await seedStory(world.database, new Date());
    await seedTraffic(world.database, story, new Date(), 120);
    await world.seal();
    browser = await launchBrowser(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
    web?.remove();
  });
  beforeEach(() => openContext('light'));
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const openContext = async (colorScheme: 'light' | 'dark', viewport = WIDE) => {
    await context?.close();
    context = await browser.newContext({ colorScheme, viewport, locale: 'en-GB', timezoneId: 'Asia/Shanghai', acceptDownloads: true });
    ({ page, complaints } = await watchedPage(context, new URL(world.url).origin));
  };
  const signIn = async (role: 'compliance' | 'risk' | 'operator' | 'auditor' = 'compliance', at = '/') => {
    await page.goto(world.url + at);
    await page.getByLabel('Name').fill(nameOf(role));
    await page.getByLabel('Password', { exact: true }).fill(world.password(role));
    await page.keyboard.press('Enter');
    await page
      .getByRole('button', { name: 'Sign out' })
      .or(page.getByRole('button', { name: 'Open the menu' }))
      .first()
      .waitFor();
  };
  const asOwner = async (sql: string) => {
    const owner = new pg.Client({ connectionString: world.ownerUrl });
    await owner.connect();
    await owner.query(sql).finally(() => owner.end());
  };

  it('signs in, says what was wrong, and comes back to the page that was asked for', async () => {
    await page.goto(`${world.url}/audit`);
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password', { exact: true }).fill('not this one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('do not belong together').waitFor();
    await screenshot(page, 'sign-in-refused');
    expect(await auditPage(page)).toEqual([]);
    await page.getByLabel('Password', { exact: true }).fill(world.password('compliance'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor();
  });

  it('finds the chain of a pasted id with the keyboard alone', async () => {
    await signIn();
    await page.getByRole('link', { name: 'Decisions' }).first().click();
    await page.getByRole('heading', { name: 'Recent decisions' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(story.paymentReference);
    await page.keyboard.press('Enter');
    for (const name of ['Rating received', 'Score 712', 'Decision for checkout', 'Payment confirmed', 'Found on the statement']) {
      await page.getByRole('article', { name, exact: true }).waitFor();
    }
    expect(await page.getByText(/log entry/).count()).toBeGreaterThanOrEqual(5);
    expect(page.url()).toContain(`id=${story.paymentReference}`);
    await page.getByRole('button', { name: 'Back', exact: true }).click();
    await page.getByRole('heading', { name: 'Recent decisions' }).waitFor();
  });

  it('pages and filters the decisions', async () => {
    await signIn('compliance', '/decisions');
    const rows = page.locator('tbody tr');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(50);
    await page.getByRole('button', { name: 'Show older' }).click();
    await expect.poll(() => rows.count()).toBe(100);
    await page.getByLabel('Outcome').selectOption('DENY');
    await expect.poll(async () => (await page.locator('tbody .badge').allTextContents()).every((text) => text !== 'ALLOW')).toBe(true);
    await page.getByLabel('Service').fill('nothing-like-it');
    await page.getByText('No decision fits these filters').waitFor();
  });

  it('exports with progress, and hands out the bundle', async () => {
    await signIn('compliance', '/audit');
    await page.getByLabel('Only this kind').fill('record.accepted');
    await page.getByRole('button', { name: 'Create the export' }).click();
    await page.getByText('waits for the worker').waitFor();
    await asOwner(`UPDATE exports SET state = 'RUNNING', range_start = 0, range_end = 200, checkpoint = '', next_index = 90`);
    await page.getByText('45 % of 200').waitFor();
    await screenshot(page, 'audit-export-running');
    expect(await auditPage(page)).toEqual([]);
    await asOwner(`UPDATE exports SET state = 'REQUESTED', range_start = NULL, range_end = NULL, checkpoint = NULL, next_index = NULL`);
    await world.runExports();
    const link = page.getByRole('link', { name: 'Download' });
    await link.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect(download.suggestedFilename()).toMatch(/^exp_.*\.tar$/);
    expect(
      readFileSync(await download.path())
        .subarray(0, 10)
        .toString(),
    ).toContain('leaves.bin');
    await page.getByRole('group', { name: 'Verify it offline' }).getByText(download.suggestedFilename()).waitFor();
  });

  it('says honestly that a role may not, that nothing was found, and that the server is gone', async () => {
    await signIn('operator', '/decisions');
    await page.getByText('Decisions is not open to your role').waitFor();
    expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    // To go elsewhere at once would cut the signing out off.
    await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor();
    await signIn('risk', '/decisions?id=ORDER-9999');
    await page.getByText('Nothing is known by this id').waitFor();
    await page.goto(`${world.url}/decisions?id=%3Cscript%3E`);
    await page
      .getByText('paste an id such as', { exact: false })
      .or(page.getByText('Paste an id such as', { exact: false }))
      .first()
      .waitFor();
    await page.route('**/api/decisions*', (route) => route.abort());
    await page.getByRole('button', { name: 'Back', exact: true }).click();
    await page.getByText('server did not answer').waitFor({ timeout: 20_000 });
    await screenshot(page, 'decisions-no-network');
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes('ERR_FAILED')));
  });

  it('closes by itself when the session was idle for too long', async () => {
    await signIn();
    await asOwner(`UPDATE staff_sessions SET seen_at = seen_at - interval '16 minutes'`);
    await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor();
    await page.getByText('away for 15 minutes').waitFor();
  });

  it('lists the facts on a phone in two lines each, with the search behind a button and the number in the opened one', async () => {
    await openContext('light', NARROW);
    await signIn('compliance', '/audit');
    const row = page.locator('.facts tbody tr').first();
    await row.waitFor();
    expect((await row.boundingBox())!.height).toBeLessThan(66);
    expect(await page.getByLabel('Participant').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByLabel('Kind', { exact: true }).fill('decision.made');
    await page.keyboard.press('Enter');
    await expect
      .poll(async () => (await page.locator('.disclose').allTextContents()).every((text) => text.includes('decision.made')))
      .toBe(true);
    expect(await page.getByLabel('Participant').isVisible()).toBe(true);
    await page.locator('.disclose').first().click();
    await page
      .locator('.fact-body')
      .getByRole('button', { name: /^Copy fct_/ })
      .waitFor();
    expect(await auditPage(page)).toEqual([]);
  });

  it('lists the decisions on a phone in two lines each, and opens the trace of one where it is tapped', async () => {
    await openContext('light', NARROW);
    await signIn('compliance', '/decisions');
    const rows = page.locator('.decisions tbody tr');
    await rows.first().waitFor();
    const heights = await Promise.all((await rows.all()).map(async (row) => (await row.boundingBox())!.height));
    expect(heights).toHaveLength(50);
    // Only a reason may take a third line.
    expect(heights.filter((height) => height > 80)).toEqual([]);
    expect(Math.min(...heights)).toBeLessThan(62);
    expect(await page.evaluate('document.body.scrollHeight')).toBeLessThan(4_000);
    // A link lies over the whole row.
    await rows.nth(3).click({ position: { x: 20, y: 15 }, force: true });
    await page.getByRole('article', { name: 'Decision for checkout' }).waitFor();
  });

  it.each(['compliance', 'risk', 'operator', 'auditor'] as const)('fits each page on a phone for each role: %s', async (role) => {
    await openContext('light', NARROW);
    await signIn(role);
    for (const place of ['', 'decisions', 'audit', 'verify', 'partners', ...REST.map(([name]) => name)]) {
      await page.goto(`${world.url}/${place}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expect.poll(() => page.locator('main [role=status]').count()).toBe(0);
      await screenshot(page, `phone-${place || 'overview'}-${role}`);
      expect([place, await auditPage(page)]).toEqual([place, []]);
    }
  });

  const looks = (['light', 'dark'] as const).flatMap((scheme) => [
    { scheme, size: 'wide', viewport: WIDE },
    { scheme, size: 'narrow', viewport: NARROW },
  ]);
  it.each(looks)('looks right and reads well: $scheme, $size', async ({ scheme, size, viewport }) => {
    await openContext(scheme, viewport);
    // What axe judges is the same in each look; and these pages, empty here, are looked at full where they are tested.
    const once = scheme === 'light' && size === 'wide';
    const look = async (name: string, ready: string | RegExp) => {
      await page.getByText(ready).first().waitFor();
      await page.waitForTimeout(150);
      await screenshot(page, `${name}-${scheme}-${size}`);
      expect([name, await auditPage(page)]).toEqual([name, []]);
      if (once) expect([name, await axeFindings(page)]).toEqual([name, []]);
    };
    await page.goto(world.url);
    await look('sign-in', 'Sign in to the console');
    await signIn();
    await look('overview', 'Last checkpoint');
    await page.goto(`${world.url}/decisions`);
    await look('decisions', 'Recent decisions');
    await page.goto(`${world.url}/decisions?id=${story.paymentReference}`);
    await look('trace-payment', 'Found on the statement');
    await page.goto(`${world.url}/decisions?id=${story.denied}`);
    await look('trace-denied', 'Violation reported');
    await page.goto(`${world.url}/decisions?id=${story.reconciliation}`);
    await look('trace-statement', 'Statement of alfa-bank');
    await page.goto(`${world.url}/audit`);
    // The newest come first, and on a phone they are few.
    await look('audit', 'staff.signed_in');
    await page.goto(`${world.url}/partners`);
    await look('partners', 'Beta Savings');
    await page.goto(`${world.url}/reconciliations?id=${story.reconciliation}`);
    await look('reconciliation', 'bears any of its references');
    for (const [name, ready] of once ? REST : []) {
      await page.goto(`${world.url}/${name}`);
      await look(name, ready);
    }
    if (size === 'narrow') {
      await page.getByRole('button', { name: 'Open the menu' }).click();
      await page.waitForTimeout(400);
      await look('menu', 'compliance');
    }
  });
});
