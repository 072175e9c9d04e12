import pg from 'pg';
import supertest from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeStaffState } from '#staff/adapters/create-staff-account';
import { ConsoleClient, signedIn } from './console-client.js';
import { routesOf } from '../../world/routes-of.js';
import { type ConsoleWorld, openConsoleWorld } from './console-world.js';

describe('the console’s door', () => {
  let world: ConsoleWorld;
  let client: ConsoleClient;
  beforeAll(async () => void (world = await openConsoleWorld()));
  afterAll(() => world.close());
  beforeEach(() => void (client = new ConsoleClient(world)));

  const asOwner = async (sql: string) => {
    const owner = new pg.Client({ connectionString: world.ownerUrl });
    await owner.connect();
    await owner.query(sql).finally(() => owner.end());
  };
  const factsOf = (kind: string) => world.database.query<{ body: string }>('SELECT body FROM facts WHERE kind = $1 ORDER BY seq', [kind]);

  it('lets nobody in without a session, and says so as problem+json', async () => {
    for (const path of [
      '/api/session',
      '/api/overview',
      '/api/decisions',
      '/api/trace?id=x',
      '/api/facts',
      '/api/exports',
      '/api/partners',
    ]) {
      const answer = await client.get(path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, 'session.missing']);
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
  });

  /** Every call of the API but signing in, with an id that is none. */
  const calls = () =>
    routesOf(world.app).flatMap(({ method, path }) =>
      path.startsWith('api/') && !(method === 'POST' && path === 'api/session')
        ? [[method, `/${path.replace(/:\w+/g, 'x')}`] as const]
        : [],
    );
  const send = (who: ConsoleClient, method: string, path: string) =>
    method === 'GET' ? who.get(path) : who.send(method === 'POST' ? 'post' : 'delete', path, {});

  it('lets nobody do anything without a session, however the path is spelt', async () => {
    expect(calls().length).toBeGreaterThan(40);
    for (const [method, path] of calls()) {
      for (const spelt of [path, path.replace('/api/', '/%61pi/'), path.replace('/api/', '/a%70%69/')]) {
        const answer = await send(client, method, spelt);
        expect([method, spelt, answer.status, answer.body.code]).toEqual([method, spelt, 401, 'session.missing']);
      }
    }
    const planted = await supertest(world.url)
      .post('/%61pi/session')
      .send({ name: 'admin', password: world.password('compliance') });
    expect([planted.status, planted.body.code, planted.headers['set-cookie']]).toEqual([403, 'request.cross_site', undefined]);
  });

  it('signs in with name and password, and the token is nowhere in the database', async () => {
    const answer = await client.signIn('admin', world.password('compliance'));
    expect(answer.body).toEqual({ name: 'admin', role: 'compliance', permissions: expect.arrayContaining(['audit.export']) });
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/^tallystick=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const token = client.cookie.split('=')[1]!;
    const stored = await world.database.query('SELECT s::text AS row FROM staff_sessions s');
    expect(JSON.stringify(stored)).not.toContain(token);
    expect((await client.get('/api/session')).body.name).toBe('admin');
  });

  it('lets an auditor change nothing', async () => {
    const auditor = await signedIn(world, 'auditor');
    const changing = calls().filter(([method, path]) => method === 'POST' && !['/api/exports', '/api/policies/lint'].includes(path));
    for (const [method, path] of changing) {
      const answer = await send(auditor, method, path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'role.forbidden']);
    }
  });

  it('takes no name that none can be', async () => {
    const answer = await client.signIn('admin\u0000', world.password('compliance'));
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, 'request.malformed', 'name']);
  });

  it('signs out for good', async () => {
    const admin = await signedIn(world, 'compliance');
    expect((await admin.send('delete', '/api/session')).status).toBe(204);
    expect((await admin.get('/api/session')).body.code).toBe('session.missing');
    expect((await factsOf('staff.signed_out')).length).toBeGreaterThan(0);
  });

  it('ends a session that nobody used, and one that is a day old', async () => {
    const idle = await signedIn(world, 'risk');
    await asOwner(`UPDATE staff_sessions SET seen_at = seen_at - interval '16 minutes' WHERE ended_at IS NULL`);
    expect((await idle.get('/api/session')).body.code).toBe('session.idle');
    const old = await signedIn(world, 'risk');
    await asOwner(`UPDATE staff_sessions SET created_at = created_at - interval '9 hours'`);
    expect((await old.get('/api/session')).body.code).toBe('session.expired');
  });

  it('closes the sessions of a disabled account at once', async () => {
    const otto = await signedIn(world, 'operator');
    await changeStaffState(world.database, 'otto', 'DISABLED');
    expect((await otto.get('/api/session')).status).toBe(401);
    expect((await client.signIn('otto', world.password('operator'))).body.code).toBe('credentials.wrong');
    await changeStaffState(world.database, 'otto', 'ACTIVE');
    expect((await otto.get('/api/session')).status).toBe(401);
    expect((await client.signIn('otto', world.password('operator'))).status).toBe(200);
  });

  it('ends a browser’s older session when it signs in again, and no other browser’s', async () => {
    const [here, there] = [await signedIn(world, 'operator'), await signedIn(world, 'operator')];
    const older = here.cookie;
    expect((await here.signIn('otto', world.password('operator'))).status).toBe(200);
    expect((await client.get('/api/session', { cookie: older })).body.code).toBe('session.missing');
    expect([(await here.get('/api/session')).status, (await there.get('/api/session')).status]).toEqual([200, 200]);
  });

  it('brakes a guesser after five attempts, also with the right password, and writes no more facts', async () => {
    await createGuesses(5);
    const before = (await factsOf('staff.sign_in_failed')).length;
    const braked = await client.signIn('ada', world.password('auditor'));
    expect([braked.status, braked.body.code]).toEqual([429, 'sign_in.throttled']);
    expect(Number(braked.headers['retry-after'])).toBeGreaterThan(0);
    expect((await factsOf('staff.sign_in_failed')).length).toBe(before);
  });

  const createGuesses = async (count: number) => {
    for (let i = 0; i < count; i++) expect((await client.signIn('ada', `guess number ${i}`)).body.code).toBe('credentials.wrong');
  };

  it.each<[string, Record<string, string>, number, string]>([
    ['another origin', { origin: 'http://evil.example' }, 403, 'request.cross_site'],
    ['no header of our page', { 'x-tallystick-console': '' }, 403, 'request.cross_site'],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403, 'request.cross_site'],
    ['a rebound name', { host: 'evil.example' }, 421, 'host.unknown'],
  ])('refuses a change that comes from %s', async (_, headers, status, code) => {
    const admin = await signedIn(world, 'compliance');
    const answer = await admin.send('delete', '/api/session', undefined, headers);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await admin.get('/api/session')).status).toBe(200);
  });

  it.each<['risk' | 'operator', string, number]>([
    ['risk', '/api/decisions', 200],
    ['risk', '/api/facts', 403],
    ['risk', '/api/exports', 403],
    ['operator', '/api/partners', 200],
    ['operator', '/api/decisions', 403],
    ['operator', '/api/trace?id=ORDER-1', 403],
    ['operator', '/api/checkpoint', 403],
  ])('%s on %s: %i', async (role, path, status) => {
    const answer = await (await signedIn(world, role)).get(path);
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toMatchObject({ code: 'role.forbidden', title: 'Not allowed' });
  });

  it('refuses what is not credentials', async () => {
    for (const body of [{}, { name: 'admin' }, { name: 'admin', password: 'x', more: 1 }, { name: ['admin'], password: 'x' }]) {
      expect((await client.send('post', '/api/session', body)).body.code).toBe('request.malformed');
    }
    const long = await client.send('post', '/api/session', { name: 'admin', password: 'x'.repeat(20_000) });
    expect([long.status, long.body.code]).toEqual([413, 'body.too_large']);
  });

  it('answers health, readiness and metrics to those who watch it', async () => {
    expect((await client.get('/health')).body).toEqual({ status: 'ok' });
    expect((await client.get('/ready')).body).toEqual({ database: 'ok' });
    expect((await client.get('/metrics')).status).toBe(200);
    for (const path of ['/ready', '/metrics', '/%72eady', '/metrics?x']) {
      const answer = await client.get(path, { 'x-forwarded-for': '192.0.2.7' });
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'operations.not_here']);
    }
  });
});

describe('the console behind a TLS proxy', () => {
  it('sets a __Host- cookie, HSTS, and believes nobody else’s origin', async () => {
    const world = await openConsoleWorld({ CONSOLE_ORIGIN: 'https://console.example' });
    try {
      const sign = (origin: string) =>
        supertest(world.url)
          .post('/api/session')
          .set({ host: 'console.example', origin, 'x-tallystick-console': '1' })
          .send({ name: 'admin', password: world.password('compliance') });
      const answer = await sign('https://console.example');
      expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-tallystick=.*; Secure$/);
      expect(answer.headers['strict-transport-security']).toContain('max-age=');
      expect((await sign('http://console.example')).body.code).toBe('request.cross_site');
    } finally {
      await world.close();
    }
  });
});
