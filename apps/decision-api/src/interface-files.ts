import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { policyJsonSchema } from '#policies';

/** An exchange with a real door, recorded by `test/e2e/decision-examples.e2e-spec.ts` and held to it from then on. */
export interface Example {
  readonly request: unknown;
  readonly response: unknown;
}

export interface Examples {
  /** By method and path: `POST /v1/decisions`. */
  readonly http: Readonly<Record<string, Example>>;
  /** By method of `DecisionService`. */
  readonly grpc: Readonly<Record<string, Example>>;
}

/** A file of the interface, the same whether we run from source or from dist. */
export function interfaceFile(name: string): string {
  const file = ancestors(import.meta.dirname)
    .map((folder) => path.join(folder, 'apps/decision-api', name))
    .find((candidate) => existsSync(candidate));
  if (!file) throw new Error(`apps/decision-api/${name} is missing`);
  return file;
}

export function readExamples(): Examples {
  return JSON.parse(readFileSync(interfaceFile('examples.json'), 'utf8')) as Examples;
}

/** Beside /docs and /docs-json: the contract over gRPC, every call with its answer, and the shape of a policy for editors. Public, as the documentation is. */
export function publishInterface(fastify: FastifyInstance): void {
  const files = {
    '/docs/decision.proto': ['proto/decision.proto', 'text/plain'],
    '/docs/examples.json': ['examples.json', 'application/json'],
  } as const;
  for (const [url, [name, type]] of Object.entries(files)) {
    const text = readFileSync(interfaceFile(name), 'utf8');
    fastify.get(url, (_request, reply) => void reply.header('content-type', `${type}; charset=utf-8`).send(text));
  }
  const schema = JSON.stringify(policyJsonSchema(), undefined, 2);
  fastify.get('/docs/policy.schema.json', (_request, reply) => void reply.header('content-type', 'application/schema+json').send(schema));
}

function ancestors(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
