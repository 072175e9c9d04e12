import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { policyJsonSchema } from '#policies';
import type { PagePath } from '../api.js';
import { pagePolicy, securityHeaders } from './security-headers.js';

/** The pages of the web app, each of them, so that one can be reloaded and linked to; it draws what stands behind by itself. */
const PAGES = Object.keys({
  '/': true,
  '/decisions': true,
  '/restrictions': true,
  '/consents': true,
  '/disputes': true,
  '/reconciliations': true,
  '/policies': true,
  '/audit': true,
  '/verify': true,
  '/partners': true,
} satisfies Record<PagePath, true>);

const NONCE_PLACE = '__CSP_NONCE__';
const NONCE_BYTES = 16;

/** Serves the built web app (`npx vite build apps/console/web`) and the schema of policies for editors, and puts the security headers on every answer. */
export async function serveWebApp(app: NestFastifyApplication, folder: string, https: boolean): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  const headers = securityHeaders(https);
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(headers);
    if (!request.url.startsWith('/assets/')) void reply.header('cache-control', 'no-store');
  });
  const schema = JSON.stringify(policyJsonSchema(), undefined, 2);
  fastify.get('/policy.schema.json', (_, reply) => reply.header('content-type', 'application/schema+json').send(schema));
  if (!existsSync(path.join(folder, 'index.html'))) return serveBuildHint(app);
  const page = readFileSync(path.join(folder, 'index.html'), 'utf8');
  // Names under assets/ carry a digest of their content, so a browser may keep them for good.
  await app.register(fastifyStatic, {
    root: path.join(folder, 'assets'),
    prefix: '/assets/',
    immutable: true,
    maxAge: '365d',
    index: false,
  });
  for (const name of ['favicon.svg', 'color-scheme.js'])
    fastify.get(`/${name}`, (_, reply) => reply.sendFile(name, folder, { maxAge: '1h' }));
  for (const url of PAGES) fastify.get(url, (_, reply) => sendPage(reply, page));
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  const nonce = randomBytes(NONCE_BYTES).toString('base64url');
  return reply
    .header('content-security-policy', pagePolicy(nonce))
    .header('content-type', 'text/html; charset=utf-8')
    .send(page.replace(NONCE_PLACE, nonce));
}

function serveBuildHint(app: NestFastifyApplication): void {
  const hint = 'The web app is not built yet. Run: npx vite build apps/console/web, then restart the console.\n';
  for (const url of PAGES) {
    app
      .getHttpAdapter()
      .getInstance()
      .get(url, (_, reply) => reply.status(503).header('content-type', 'text/plain; charset=utf-8').send(hint));
  }
}
