import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { bodyLimitOf } from './body-limits.js';
import { routeOf } from './request-signature.js';

/**
 * Cuts a connection whose request has not come whole within its time: `requestMs`, or what the route allows for its larger bodies. Node's own
 * limit knows one time for all routes, so it is off at this door.
 */
export function limitBodyTime(app: NestFastifyApplication, requestMs: number): void {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { raw } = request;
    // A request that is whole waits for us: what nobody reads, like the empty body of a GET, never ends.
    const cut = () => void (raw.complete || raw.destroy());
    const timer = setTimeout(cut, bodyLimitOf(routeOf(request)).msMax ?? requestMs).unref();
    raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
    done();
  });
}
