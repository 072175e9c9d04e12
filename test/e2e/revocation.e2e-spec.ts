import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import tls from 'node:tls';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger, freePort } from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { DAY_MS, issue, publicPem } from '../../certs/authority.js';
import { EC_AUTHORITY, readDevelopmentAuthority, revokeInDevelopment } from '../../certs/make-dev-pki.js';
import { createGateway } from '../../apps/gateway/src/start-gateway.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { until } from '../world/worker-world.js';

const PROMISE_MS = 10_000;
let world: GatewayWorld;
let second: NestFastifyApplication;
let ports: readonly number[];

beforeAll(async () => {
  world = await openGatewayWorld();
  const port = await freePort();
  second = await createGateway({ ...world.config, GATEWAY_ORIGIN: `https://localhost:${port}` }, createLogger('test', 'silent'));
  await second.listen(port, '127.0.0.1');
  ports = [world.port, port];
});
afterAll(async () => {
  await second?.close();
  await world?.close();
});

interface Leaf {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
}

/** One more certificate of bank A, registered. */
async function newLeaf(): Promise<Leaf> {
  const authority = readDevelopmentAuthority(path.join(world.home, 'pki'))!;
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const cert = await issue(authority, {
    publicKey: publicPem(key),
    commonName: 'bank-a',
    names: [{ type: 'url' as const, value: 'urn:tallystick:participant:bank-a' }],
    usage: 'client' as const,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + DAY_MS),
  });
  const issued = readIssuedCertificate(cert, authority.certificate);
  await world.participants.registerCertificate('bank-a', issued);
  return { cert, key, serial: issued.serial };
}

/** A connection that stays open: what each further call on it is answered, or `closed`; with the session to resume it by. */
class Connection {
  session: Buffer | undefined;
  isClosed = false;
  private answer = '';

  private constructor(
    private readonly socket: tls.TLSSocket,
    private readonly port: number,
  ) {
    socket.on('session', (session) => (this.session = session));
    socket.on('data', (data) => (this.answer += data.toString('latin1')));
    socket.on('close', () => (this.isClosed = true)).on('error', () => (this.isClosed = true));
  }

  static open(port: number, { cert, key }: Leaf, version: tls.SecureVersion, session?: Buffer): Promise<Connection> {
    const { ca } = world.client('bank-a');
    const options = { host: '127.0.0.1', port, servername: 'localhost', ca, cert, key, minVersion: version, maxVersion: version };
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ ...options, ...(session ? { session } : {}) });
      const connection = new Connection(socket, port);
      socket.once('secureConnect', () => resolve(connection)).once('error', reject);
    });
  }

  get isResumed(): boolean {
    return this.socket.isSessionReused();
  }

  async ask(): Promise<string> {
    this.answer = '';
    if (!this.isClosed) this.socket.write(`GET /v1/participants/me HTTP/1.1\r\nHost: localhost:${this.port}\r\n\r\n`);
    return await until(() => {
      const status = /^HTTP\/1\.1 (\d{3})[^]*\r\n\r\n/.exec(this.answer)?.[1];
      const code = /"code":"([^"]+)"/.exec(this.answer)?.[1];
      return Promise.resolve(status === '200' ? status : status && code ? `${status} ${code}` : this.isClosed ? 'closed' : undefined);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The view may be read anew just then: it closes the connections of whoever it no longer holds. */
const REFUSED = /^(401 certificate\.revoked|closed)$/;

describe('a certificate that is revoked', () => {
  const ways: [where: string, revoke: (serial: string) => Promise<unknown>][] = [
    ['the registry', (serial) => world.participants.revokeCertificate('bank-a', serial, 'lost')],
    ['the CRL', (serial) => revokeInDevelopment(path.join(world.home, 'pki'), EC_AUTHORITY, serial, new Date())],
  ];

  it.each(ways.flatMap(([where, revoke]) => (['TLSv1.2', 'TLSv1.3'] as const).map((version) => [where, version, revoke] as const)))(
    'in %s is refused on every process within 10 s: open, resumed and fresh (%s)',
    async (where, version, revoke) => {
      const leaf = await newLeaf();
      const silent = await Promise.all(ports.map((port) => Connection.open(port, leaf, version)));
      const open = await until(async () => {
        const made = await Promise.all(ports.map((port) => Connection.open(port, leaf, version)));
        const answers = await Promise.all(made.map((connection) => connection.ask()));
        if (answers.every((answer) => answer === '200')) return made;
        made.forEach((connection) => connection.close());
        return undefined;
      });
      await until(() => Promise.resolve(open.every(({ session }) => session) || undefined));
      const sinceMs = performance.now();
      await revoke(leaf.serial);
      await until(async () => ((await Promise.all(open.map((one) => one.ask()))).every((answer) => answer !== '200') ? true : undefined));
      // Whoever only listens would never notice: such connections are closed.
      await until(() => Promise.resolve(silent.every(({ isClosed }) => isClosed) || undefined));
      const tookMs = performance.now() - sinceMs;
      for (const [i, port] of ports.entries()) {
        const resumed = await Connection.open(port, leaf, version, open[i]!.session);
        const fresh = await Connection.open(port, leaf, version);
        // A change of the files makes new ticket keys, too: then a session cannot be resumed at all.
        expect([resumed.isResumed, fresh.isResumed]).toEqual([where === 'the registry', false]);
        for (const connection of [resumed, fresh]) expect(await connection.ask()).toMatch(REFUSED);
        for (const one of [resumed, fresh]) one.close();
      }
      expect(tookMs).toBeLessThan(PROMISE_MS);
    },
  );
});
