import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backtestDesk, backtestRunner, shadowFollower } from '#decisions/adapters/backtests';
import { activate, live, SMALL_LIMITS } from '#decisions/testing/lived-history';
import { addSubjects } from '#decisions/testing/subjects';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { browserPath, buildWebApp, launchBrowser, screenshot, watchedPage } from './browser.js';
import { signedIn } from './console-client.js';
import { type ConsoleWorld, nameOf, openConsoleWorld } from './console-world.js';
import { auditPage } from './page-audit.js';

const chromium = browserPath();
if (chromium === undefined && process.env['CI'] === 'true')
  throw new Error('CI must test the console in a browser: apt-get install chromium');

let world: ConsoleWorld;

const draft = (version: number, author: string, amount: string) =>
  policyLife(world.database).draft(
    policyInput({ version, limits: [{ ...SMALL_LIMITS![0]!, amount }, ...SMALL_LIMITS!.slice(1)] }),
    author,
    new Date(),
  );

describe('policies in the console', () => {
  let web: { folder: string; remove(): void } | undefined;
  let browser: Browser | undefined;

  beforeAll(async () => {
    web = chromium === undefined ? undefined : await buildWebApp();
    world = await openConsoleWorld({}, web?.folder);
    await activate(world.database, 1);
    const subjects = await addSubjects(world.database, 30);
    await live(world.database, subjects, 150, 'before');
    await draft(2, nameOf('compliance'), '150.00');
    await policyLife(world.database).shadow(2n, 'admin', new Date());
    await live(world.database, subjects, 150, 'during');
    await shadowFollower(world.database).run();
    await draft(3, nameOf('risk'), '250.00');
    if (chromium !== undefined) browser = await launchBrowser(chromium);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
    web?.remove();
  });

  it('answers by role', async () => {
    const [risk, auditor, operator] = [await signedIn(world, 'risk'), await signedIn(world, 'auditor'), await signedIn(world, 'operator')];
    expect((await auditor.get('/api/policies', OWN_PAGE)).body).toMatchObject({
      policies: [{ version: '3' }, { version: '2' }, { version: '1' }],
    });
    expect((await operator.get('/api/policies', OWN_PAGE)).status).toBe(403);
    expect((await auditor.send('post', '/api/backtests', {})).status).toBe(403);
    expect((await auditor.send('post', '/api/policies/2/approve')).status).toBe(403);
    expect((await risk.send('post', '/api/policies/3/approve')).body).toMatchObject({ code: 'policy.four_eyes' });
    expect((await auditor.send('post', '/api/policies/3/activate')).status).toBe(403);
    expect((await risk.send('post', '/api/policies/3/activate')).body).toMatchObject({ code: 'policy.state' });
    expect((await risk.send('post', '/api/policies/1/retire')).body).toMatchObject({ code: 'policy.in_force' });
    expect((await risk.send('post', '/api/policies/3/activate', { at: 'soon' })).body).toMatchObject({
      code: 'request.malformed',
      field: 'at',
    });
    const schema = await fetch(`${world.url}/policy.schema.json`);
    expect([schema.status, schema.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^application\/schema\+json\b/)]);
    expect((await risk.send('post', '/api/policies/0/shadow')).body).toMatchObject({ code: 'policy.version_malformed' });
    expect((await risk.send('post', '/api/backtests', { version: '77' })).body).toMatchObject({ code: 'policy.unknown' });
    expect((await risk.send('post', '/api/backtests', { from: 'yesterday' })).status).toBe(400);
    const lint = (client: typeof risk, text: string) =>
      client.send('post', '/api/policies/lint', text as never, { 'content-type': 'text/plain' });
    expect((await lint(auditor, '{')).body).toMatchObject({ findings: [{ code: 'json.malformed', line: 1, column: 2 }] });
    expect((await lint(operator, '{')).status).toBe(403);
    expect((await lint(risk, ' '.repeat(300_000))).body).toMatchObject({ status: 413, code: 'body.too_large' });
    expect((await risk.send('post', '/api/policies/lint', {})).body).toMatchObject({ code: 'policy.text_wanted' });
    const asked = await risk.send('post', '/api/backtests', { version: '3' });
    expect(asked.status).toBe(202);
    const { id } = asked.body as { id: string };
    expect((await risk.send('post', `/api/backtests/${id}/cancel`)).body).toMatchObject({ state: 'CANCELLED', requestedBy: 'rita' });
    expect((await risk.get(`/api/backtests/${id}`, OWN_PAGE)).body).toMatchObject({ backtest: { state: 'CANCELLED' }, report: null });
  });

  describe.skipIf(chromium === undefined)('in a browser', () => {
    let context: BrowserContext;
    let page: Page;
    let complaints: string[];

    beforeAll(async () => {
      context = await browser!.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', timezoneId: 'Asia/Shanghai' });
      ({ page, complaints } = await watchedPage(context, new URL(world.url).origin));
      await page.goto(`${world.url}/policies`);
      await page.getByLabel('Name').fill(nameOf('risk'));
      await page.getByLabel('Password', { exact: true }).fill(world.password('risk'));
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Versions' }).waitFor();
    });
    afterAll(async () => {
      await context?.close();
      expect(complaints).toEqual([]);
    });

    it('shows what a shadow found', async () => {
      await page.getByRole('button', { name: 'Shadow report of version 2' }).click();
      await page.getByRole('heading', { name: 'Was, and would be' }).waitFor();
      await shadowFollower(world.database).run();
      await page.getByText('Every decision up to now is compared.').waitFor();
      await page.getByText('limit.exceeded (limit all-day)').first().waitFor();
      await screenshot(page, 'policies-shadow');
      expect(await auditPage(page)).toEqual([]);
      await page.getByRole('button', { name: 'Close the report' }).click();
    });

    it('starts a back-test, shows its progress and its report', async () => {
      await page.getByLabel('Under').selectOption('3');
      await page.getByRole('button', { name: 'Start the back-test' }).click();
      await page.getByText('waits for the worker').waitFor();
      await screenshot(page, 'policies-backtest-waiting');
      for (const { state, id } of await backtestDesk(world.database).list(5))
        if (state === 'REQUESTED') expect(await backtestRunner(world.database).run(id)).toBe('DONE');
      await page.getByRole('button', { name: 'Report of the back-test of house 3' }).click();
      await page.getByRole('heading', { name: 'Examples, the largest of each change' }).waitFor();
      await screenshot(page, 'policies-backtest');
      expect(await auditPage(page)).toEqual([]);
      await page.setViewportSize({ width: 400, height: 860 });
      await screenshot(page, 'policies-backtest-narrow');
      expect(await auditPage(page)).toEqual([]);
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.getByRole('button', { name: 'Close the report' }).click();
    });

    it('checks a document that is being written, and leads to each place', async () => {
      const area = page.getByLabel('Document (JSON)');
      const text = JSON.stringify(policyInput(), undefined, 2);
      await area.fill(text.replace('"currency"', '"curency"'));
      await page.getByRole('button', { name: 'Check', exact: true }).click();
      const found = page.getByRole('status', { name: 'What was found' });
      await found.getByText('2 errors, 0 warnings. It cannot be drafted as it is.').waitFor();
      expect(await auditPage(page)).toEqual([]);
      await found
        .getByRole('row', { name: /curency/ })
        .getByRole('button')
        .click();
      const selected = await page.evaluate('getSelection().toString()');
      expect(selected).toBe('"curency": "CNY",');
      await screenshot(page, 'policies-check');
      await area.fill(text);
      expect(await found.count()).toBe(0);
      await page.getByRole('button', { name: 'Check', exact: true }).click();
      await found.getByText('It can be drafted.').waitFor();
      await area.fill('');
    });

    it('lets another person approve, and not the author', async () => {
      await page.getByText('You wrote it: somebody else approves.').waitFor();
      expect(await page.getByRole('button', { name: 'Approve version 3' }).count()).toBe(0);
      await page.getByRole('button', { name: 'Start the shadow of version 3' }).click();
      await page.getByRole('button', { name: 'Shadow report of version 3' }).waitFor();
      await page.getByRole('button', { name: 'Approve version 2' }).click();
      await page.getByText('admin, approved by rita').waitFor();
      await screenshot(page, 'policies');
    });

    it('activates what was approved, after a second look, and says who did it', async () => {
      await page.getByRole('button', { name: 'Activate version 2' }).click();
      await page.getByRole('button', { name: 'No', exact: true }).click();
      await page.getByRole('button', { name: 'Activate version 2' }).click();
      expect(await auditPage(page)).toEqual([]);
      await page.getByRole('group', { name: 'Activate version 2' }).getByRole('button', { name: 'Yes' }).click();
      await page.getByText('admin, approved by rita, activated by rita').waitFor();
      await page.getByText('retired by rita').waitFor();
      expect(await page.getByRole('button', { name: 'Retire version 2' }).count()).toBe(0);
    });
  });
});

const OWN_PAGE = { 'x-tallystick-console': '1' };
