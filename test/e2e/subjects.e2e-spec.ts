import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request, { type Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Signer, signJws } from '#evidence';
import { parseId } from '#kernel';
import { Participants } from '#partners';
import { createLogger, createSigner, freePort, parseConfig } from '#platform';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { EC_AUTHORITY, ensureDevelopmentPki } from '../../certs/make-dev-pki.js';

let home: string;
let fresh: FreshDatabase;
let app: NestFastifyApplication;
let issuer: Signer;
let lastKey = 0;

function token(scope = 'subjects:write standing:read'): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: 'tallystick-dev-issuer', sub: 'checkout', aud: 'tallystick-decision-api', iat: now, exp: now + 300, scope };
  return signJws('JWT', claims, issuer);
}

const door = () => request(app.getHttpServer());
const post = (url: string, body: object, key = `subject-key-${++lastKey}`, scope?: string) =>
  door()
    .post(url)
    .set('authorization', `Bearer ${token(scope)}`)
    .set('idempotency-key', key)
    .send(body);
const get = (url: string) => door().get(url).set('authorization', `Bearer ${token()}`);
const codeOf = ({ status, body }: Response) => [status, (body as { code?: string }).code];

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'subjects-'));
  fresh = await freshDatabase();
  const config = parseConfig({
    TALLYSTICK_ENV: 'test',
    TALLYSTICK_HOME: home,
    DATABASE_URL: fresh.url,
    LOG_LEVEL: 'silent',
    DECISION_GRPC_PORT: String(await freePort()),
  });
  issuer = createSigner(config, 'internal-issuer');
  app = await createDecisionApi(config, createLogger('test', 'silent'));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  await ensureDevelopmentPki(path.join(home, 'pki'), new Date());
  const pem = (name: string) => readFileSync(path.join(home, 'pki', name), 'utf8');
  const certificate = readIssuedCertificate(pem('clients/bank-a/cert.pem'), pem(`partners/${EC_AUTHORITY}.ca.pem`));
  await app
    .get(Participants)
    .enrol({ id: 'bank-a', name: 'Bank A', certificate, keys: [{ kid: issuer.kid, alg: 'EdDSA', jwk: issuer.publicJwk }] });
});

afterAll(async () => {
  await app?.close();
  await fresh?.close();
  rmSync(home, { recursive: true, force: true });
});

describe('subjects over decision-api', () => {
  it('are registered once per Idempotency-Key, with a first standing', async () => {
    const first = await post('/v1/subjects', { kind: 'INDIVIDUAL' }, 'the-same-key').expect(201);
    const again = await post('/v1/subjects', { kind: 'INDIVIDUAL' }, 'the-same-key').expect(200);
    expect([again.body, again.headers['idempotency-hit']]).toEqual([first.body, 'true']);
    const standing = await get(`/v1/subjects/${(first.body as { id: string }).id}/standing`).expect(200);
    expect(standing.body).toMatchObject({ kind: 'INDIVIDUAL', version: '1', score: { value: 578, version: '2026.1' }, restrictions: [] });
  });

  it('are linked to known participants, once, until the link is ended', async () => {
    const { id } = (await post('/v1/subjects', { kind: 'MERCHANT' }).expect(201)).body as { id: string };
    const wish = { participant: 'bank-a', customerReference: 'c-1' };
    const link = await post(`/v1/subjects/${id}/links`, wish).expect(201);
    expect(link.body).toMatchObject({ subject: id, participant: 'bank-a', state: 'ACTIVE' });
    expect((await post(`/v1/subjects/${id}/links`, wish).expect(200)).body).toEqual(link.body);
    const ended = await post(`/v1/subjects/${id}/links/${(link.body as { ref: string }).ref}/end`, {}).expect(200);
    expect(ended.body).toMatchObject({ state: 'ENDED' });
  });

  it('are refused with a code that says why', async () => {
    const { id } = (await post('/v1/subjects', { kind: 'MERCHANT' }, 'a-used-key').expect(201)).body as { id: string };
    const unknown = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;
    const wish = { participant: 'bank-a' };
    const rows: [answer: Response, status: number, code: string][] = [
      [await post('/v1/subjects', { kind: 'INDIVIDUAL' }, 'a-used-key'), 422, 'idempotency.key_reused'],
      [await post('/v1/subjects', { kind: 'INDIVIDUAL' }, 'short'), 400, 'idempotency.key_malformed'],
      [await post('/v1/subjects', { kind: 'ROBOT' }), 400, 'subject.malformed'],
      [await post('/v1/subjects', { kind: 'MERCHANT', name: 'x' }), 400, 'subject.malformed'],
      [await post('/v1/subjects', { kind: 'MERCHANT' }, 'another-key', 'standing:read'), 403, 'scope.missing'],
      [await post(`/v1/subjects/${id}/links`, { participant: 'bank-z' }), 404, 'participant.unknown'],
      [await post(`/v1/subjects/${unknown}/links`, wish), 404, 'subject.unknown'],
      [await post('/v1/subjects/sub_x/links', wish), 400, 'id.malformed'],
      [await get(`/v1/subjects/${unknown}/standing`), 404, 'subject.unknown'],
    ];
    expect(rows.map(([answer]) => codeOf(answer))).toEqual(rows.map(([, status, code]) => [status, code]));
  });

  it('are not linked to a participant that is closed; links that it has stay as they are', async () => {
    const before = (await post('/v1/subjects', { kind: 'MERCHANT' }).expect(201)).body as { id: string };
    const after = (await post('/v1/subjects', { kind: 'MERCHANT' }).expect(201)).body as { id: string };
    const link = await post(`/v1/subjects/${before.id}/links`, { participant: 'bank-a' }).expect(201);
    const participants = app.get(Participants);
    await participants.activate('bank-a', 'ready');
    await participants.suspend('bank-a', 'winding up');
    await participants.proposeClosing('bank-a', 'wound up', 'otto');
    await participants.confirmClosing('bank-a', 'ada');
    const refused = await post(`/v1/subjects/${after.id}/links`, { participant: 'bank-a' });
    expect([...codeOf(refused), (refused.body as { field: string }).field]).toEqual([422, 'participant.closed', '/participant']);
    expect(await fresh.database.query('SELECT 1 FROM links WHERE subject = $1', [parseId('sub', after.id).uuid])).toEqual([]);
    await post(`/v1/subjects/${before.id}/links/${(link.body as { ref: string }).ref}/end`, {}).expect(200);
  });
});
