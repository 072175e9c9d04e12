import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Environment, PORTS } from './installation.js';

export interface Door {
  readonly app: string;
  readonly forWhom: string;
  readonly port: (typeof PORTS)[number];
  readonly scheme: 'http' | 'https';
}

/** Our processes, in the order they are started and shown. */
export const DOORS: readonly Door[] = [
  { app: 'gateway', forWhom: 'partner banks, mutual TLS', port: 'GATEWAY_PORT', scheme: 'https' },
  { app: 'decision-api', forWhom: 'our own services', port: 'DECISION_HTTP_PORT', scheme: 'http' },
  { app: 'worker', forWhom: 'health and metrics', port: 'WORKER_PORT', scheme: 'http' },
  { app: 'console', forWhom: 'staff', port: 'CONSOLE_PORT', scheme: 'http' },
];

const PROBE_TIMEOUT_MS = 3000;

export function entryOf(app: string): string {
  return `dist/apps/${app}/src/main.js`;
}

/** Where a person reaches this door. */
export function urlOf(door: Door, environment: Environment): string {
  if (door.app === 'gateway') return environment['GATEWAY_ORIGIN']!;
  return `${door.scheme}://localhost:${environment[door.port]!}`;
}

/** `ready`, or what is in the way: the door's own report, or why it cannot be reached. */
export function probe(door: Door, environment: Environment): Promise<string> {
  const options = { host: environment['BIND_HOST'], port: Number(environment[door.port]), path: '/ready', timeout: PROBE_TIMEOUT_MS };
  return new Promise((resolve) => {
    // Nothing is sent or believed here but "up or not": whose certificate this is, is the partners' business.
    const request =
      door.scheme === 'https'
        ? httpsRequest({ ...options, rejectUnauthorized: false, headers: { host: new URL(environment['GATEWAY_ORIGIN']!).host } })
        : httpRequest(options);
    request.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += String(chunk).slice(0, 500)));
      response.once('close', () => resolve(response.statusCode === 200 ? 'ready' : `answers ${response.statusCode}: ${reasonIn(body)}`));
    });
    request.once('timeout', () => request.destroy(new Error('does not answer')));
    request.once('error', (error) => resolve(error.message || 'does not answer'));
    request.end();
  });
}

/** Of a problem its detail; of anything else the beginning as it is. */
function reasonIn(body: string): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown };
    return typeof detail === 'string' ? detail : body;
  } catch {
    return body;
  }
}
