import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId, systemClock } from '#kernel';
import { Restrictions, Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { browserPath, buildWebApp, launchBrowser, screenshot, watchedPage } from './browser.js';
import { type ConsoleWorld, nameOf, openConsoleWorld } from './console-world.js';
import { auditPage } from './page-audit.js';
import { seedConsents } from './seed-consents.js';

const chromium = browserPath();
if (chromium === undefined && process.env['CI'] === 'true')
  throw new Error('CI must test the console in a browser: apt-get install chromium');

const about = {
  reason: { code: 'LATE_TWICE', text: 'paid late twice in a month' },
  evidence: { digest: 'c'.repeat(64), reference: 'case-815' },
};

/** A subject of two banks with a cut that is appealed, a notice that is over, and retractions that nobody has fetched. */
async function seedRestrictions({ database }: ConsoleWorld): Promise<string> {
  const exchange = new PgExchange(database);
  const subjects = new Subjects(exchange, nodeClerk, systemClock);
  const flow = new Restrictions(exchange, nodeClerk, systemClock);
  const { id } = await subjects.register({ caller: 'wallet', key: 'key-0001', kind: 'INDIVIDUAL' });
  for (const participant of ['bank-a', 'bank-b']) await subjects.link(id, { participant });
  const order = (action: Parameters<Restrictions['order']>[1]['order']['action'], key: string) =>
    flow.order(id, { order: { action, ...about }, by: 'sam', key });
  await order({ kind: 'IMPOSE', sanction: { step: 'BANK_NOTICE', services: [], days: 30 } }, 'order-01');
  await order({ kind: 'IMPOSE', sanction: { step: 'LIMIT_CUT', services: ['pay-later'], limitPercent: 40, days: 60 } }, 'order-02');
  const [standing] = await new PgStandingReader(database).load([id]);
  const [notice, cut] = standing!.restrictions;
  const lift = await order({ kind: 'LIFT', restriction: notice!.id }, 'order-03');
  await flow.decide(id, lift.request.id, true, 'kim');
  await flow.appeal(id, cut!.id, { caller: 'wallet', key: 'appeal-01', grounds: { code: 'NOT_ME' } });
  return formatId('sub', id);
}

describe.skipIf(chromium === undefined)('restrictions and consents at the console', () => {
  let world: ConsoleWorld;
  let browser: Browser;
  let web: { folder: string; remove(): void };
  let subject: string;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    web = await buildWebApp();
    world = await openConsoleWorld({}, web.folder);
    subject = await seedRestrictions(world);
    browser = await launchBrowser(chromium!);
  });
  afterAll(async () => {
    for (const context of contexts) await context.close();
    await browser?.close();
    await world?.close();
    web?.remove();
  });

  const seat = async (role: 'risk' | 'compliance' | 'operator', width = 1280): Promise<{ page: Page; complaints: string[] }> => {
    const context = await browser.newContext({ viewport: { width, height: 860 }, locale: 'en-GB', timezoneId: 'Asia/Shanghai' });
    contexts.push(context);
    const watched = await watchedPage(context, new URL(world.url).origin);
    await watched.page.goto(`${world.url}/restrictions`);
    await watched.page.getByLabel('Name').fill(nameOf(role));
    await watched.page.getByLabel('Password', { exact: true }).fill(world.password(role));
    await watched.page.keyboard.press('Enter');
    await watched.page.getByRole('heading', { name: 'Open retractions' }).waitFor();
    return watched;
  };

  it('one person asks for a closure, another approves it, and the operator sees who has yet to hear', async () => {
    const [rita, admin, otto] = [await seat('risk'), await seat('compliance', 400), await seat('operator')];
    await rita.page.getByText('NOT_ME').waitFor();
    await screenshot(rita.page, 'restrictions-desk');
    await rita.page.getByLabel('Subject').fill(subject);
    await rita.page.keyboard.press('Enter');
    await rita.page.getByText('limit cut · to 40 % · pay-later').waitFor();
    await rita.page.getByRole('button', { name: 'Impose one' }).click();
    await rita.page.getByLabel('Step').selectOption('CLOSURE');
    await rita.page.getByLabel('Reason code').fill('FRAUD_CONFIRMED');
    await rita.page.getByLabel('Reason in words').fill('the account was sold');
    await rita.page.getByLabel('Evidence: where it is kept').fill('case-816');
    await rita.page.getByLabel('Evidence: SHA-256').fill('d'.repeat(64));
    await screenshot(rita.page, 'restrictions-subject');
    expect(await auditPage(rita.page)).toEqual([]);
    await rita.page.getByRole('button', { name: 'Order it' }).click();
    await rita.page.getByText('Waiting for a second person').waitFor();
    await rita.page.getByRole('button', { name: 'Back' }).click();
    await rita.page.getByText('You asked for it: another person decides.').waitFor();
    expect(await rita.page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);

    await admin.page.reload();
    await admin.page.getByText('FRAUD_CONFIRMED: the account was sold').waitFor();
    await screenshot(admin.page, 'restrictions-desk-narrow');
    expect(await auditPage(admin.page)).toEqual([]);
    await admin.page.getByRole('button', { name: 'Approve' }).click();
    await admin.page.getByText('Nothing waits').waitFor();
    await admin.page.goto(`${world.url}/restrictions?subject=${subject}`);
    await admin.page.getByText('closure · all services').waitFor();

    expect(await otto.page.getByRole('cell', { name: /^bank-/ }).allTextContents()).toEqual(expect.arrayContaining(['bank-a', 'bank-b']));
    expect(await otto.page.getByText('Open appeals').count()).toBe(0);
    for (const { complaints } of [rita, admin, otto]) expect(complaints).toEqual([]);
  });

  it('compliance follows a consent from what was asked to who saw what; who may not, is told so', async () => {
    const { subject: seen, consent } = await seedConsents(world.database);
    const [admin, rita] = [await seat('compliance'), await seat('risk', 400)];
    await admin.page.goto(`${world.url}/decisions?id=${seen}`);
    await admin.page.getByRole('link', { name: 'Consents and who saw what' }).click();
    await admin.page.getByRole('heading', { name: 'Who saw what, when, why' }).waitFor();
    const articles = admin.page.getByRole('article');
    await articles.nth(2).waitFor();
    expect((await articles.allInnerTexts()).map((text) => /PAUSED|CONSUMED|ACTIVE/.exec(text)?.[0])).toEqual([
      'PAUSED',
      'CONSUMED',
      'ACTIVE',
    ]);
    await admin.page.getByRole('cell', { name: 'whether the score is at least 650' }).waitFor();
    expect(await admin.page.getByRole('cell', { name: 'bank-a' }).count()).toBe(3);
    await screenshot(admin.page, 'consents-subject');
    expect(await auditPage(admin.page)).toEqual([]);

    await admin.page.getByLabel('Subject or consent').fill(consent);
    await admin.page.keyboard.press('Enter');
    await admin.page.getByRole('cell', { name: '3, under version 3' }).waitFor();
    await admin.page.getByRole('button', { name: 'Artefact of version 2' }).click();
    await admin.page.getByText('"CREDIT_APPLICATION"').waitFor();
    await screenshot(admin.page, 'consents-one');
    expect(await auditPage(admin.page)).toEqual([]);
    await admin.page.setViewportSize({ width: 400, height: 860 });
    await screenshot(admin.page, 'consents-one-narrow');
    expect(await auditPage(admin.page)).toEqual([]);

    await rita.page.goto(`${world.url}/consents?consent=${consent}`);
    await rita.page.getByText('Consents is not open to your role').waitFor();
    for (const { complaints } of [admin, rita]) expect(complaints).toEqual([]);
  });
});
