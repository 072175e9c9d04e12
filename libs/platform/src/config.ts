import { z } from 'zod';

/** One typed setting: how it is read, what it means, and whether its value may be shown. The reference page is made from this table. */
interface Setting<T extends z.ZodType> {
  readonly schema: T;
  readonly about: string;
  readonly secret?: true;
}

const setting = <T extends z.ZodType>(schema: T, about: string, secret?: true): Setting<T> =>
  secret ? { schema, about, secret } : { schema, about };
const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Every environment variable that Tallystick reads. */
export const SETTINGS = {
  TALLYSTICK_ENV: setting(
    z.enum(['development', 'test', 'production']).default('development'),
    'production refuses development keys and unsafe settings',
  ),
  TALLYSTICK_HOME: setting(
    z.string().default('.tallystick'),
    'folder of everything kept outside PostgreSQL: keys, tiles, exports, last checkpoint',
  ),
  DATABASE_URL: setting(
    z.string().startsWith('postgres').optional(),
    'PostgreSQL; unset: the embedded one that `tallystick up` starts',
    true,
  ),
  DATABASE_POOL_MAX: setting(z.coerce.number().int().min(1).max(200).default(10), 'connections per process'),
  DATABASE_STATEMENT_MS_MAX: setting(
    z.coerce.number().int().min(0).max(86_400_000).optional(),
    'how long PostgreSQL may work on one statement, and a call may wait for a connection; 0: for ever; unset: 10000 at decision-api, 30000 at gateway and console, 600000 at the worker; the command line and migrations have none',
  ),
  REDIS_URL: setting(
    z.string().startsWith('redis').optional(),
    'Redis for queues and rate limits; unset: queues and rate limits on PostgreSQL',
    true,
  ),
  LOG_LEVEL: setting(z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'), 'least severe level that is written'),
  BIND_HOST: setting(z.string().default('127.0.0.1'), 'address the doors listen on'),
  GATEWAY_PORT: setting(port(7443), 'partner banks, mTLS'),
  GATEWAY_ORIGIN: setting(z.string().default('https://localhost:7443'), 'scheme, host and port that partners use; any other Host is 421'),
  REQUEST_SIGNATURES: setting(
    z.enum(['required', 'optional']).default('required'),
    'whether partners must sign requests that change something (RFC 9421); optional is for a transition and refused in production',
  ),
  PARTNER_CALLS_PER_SECOND: setting(
    z.coerce.number().int().min(1).max(1_000_000).default(2_000),
    'calls of one partner, over all gateways; beyond it they are let through at this pace, and those that wait longer than two seconds are 429',
  ),
  HANDSHAKES_PER_SECOND: setting(
    z.coerce.number().int().min(1).max(1_000_000).default(20),
    'new connections of one address to one gateway, five times as many at once; more wait before TLS begins. Behind a balancer that hides addresses: those of all partners',
  ),
  ENROLMENT_PORT: setting(
    z.coerce.number().int().min(0).max(65_535).optional(),
    'enrolment of invited banks, server-side TLS only; unset: nobody can enrol by itself',
  ),
  ENROLMENT_ORIGIN: setting(
    z.url({ protocol: /^https$/ }).optional(),
    'scheme, host and port of the enrolment listener; any other Host is 421; unset: https://localhost:ENROLMENT_PORT',
  ),
  ISSUER_CERTIFICATE_FILE: setting(
    z.string().optional(),
    'the CA that certifies partners, where certificates are issued (a worker, `tallystick issue`); development has its own. Never at a gateway',
  ),
  ISSUER_KEY_FILE: setting(z.string().optional(), 'private key of ISSUER_CERTIFICATE_FILE'),
  WEBHOOK_CA_FILE: setting(
    z.string().optional(),
    'PEM of further authorities that partners’ webhooks may be certified by, beside the machine’s own (worker)',
  ),
  WEBHOOK_ALLOWED_NETWORKS: setting(
    z.string().default(''),
    'networks (CIDR, with commas) that webhooks may lead to although they are private, such as a VPN’s; all others that are not public are refused (gateway, worker)',
  ),
  WEBHOOK_TIMEOUT_MS: setting(
    z.coerce.number().int().min(500).max(30_000).default(5_000),
    'how long a webhook may take to answer; after a worker that died its partners wait for twice as long',
  ),
  DECISION_HTTP_PORT: setting(port(7080), 'internal services, HTTP/JSON'),
  DECISION_GRPC_PORT: setting(port(7081), 'internal services, gRPC'),
  ALLOWANCE_SECONDS_MAX: setting(
    z.coerce.number().int().min(1).max(3_600).default(600),
    'the longest an allowance may be spent while decision-api cannot be asked',
  ),
  ALLOWANCE_GRACE_SECONDS: setting(
    z.coerce.number().int().min(60).max(2_588_400).default(86_400),
    'how long an allowance’s amount stays held after its end, for reports that come late',
  ),
  CONSENT_CALLS_PER_DAY_MAX: setting(
    z.coerce.number().int().min(1).max(100_000).default(24),
    'reads of one subject by one participant for one purpose in a calendar day, whatever its consents allow',
  ),
  CONSENT_CALLS_PER_MONTH_MAX: setting(z.coerce.number().int().min(1).max(1_000_000).default(240), 'the same in a calendar month'),
  DISCLOSURE_KEPT_DAYS: setting(
    z.coerce.number().int().min(0).max(3_650).default(30),
    'for how many days what a participant read under a consent can be shown after its data life; then it is erased',
  ),
  CONSENT_TIME_ZONE: setting(
    z.string().refine(isTimeZone, 'not an IANA time zone').default('Asia/Shanghai'),
    'whose days, weeks and months count reads under consents',
  ),
  CONSOLE_PORT: setting(port(7090), 'staff console'),
  CONSOLE_ORIGIN: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'scheme, host and port that staff open; https behind a TLS proxy; unset: this machine’s loopback names at CONSOLE_PORT',
  ),
  CONSOLE_PROXIES: setting(
    z.string().default(''),
    'addresses of the proxies in front of the console, with commas; only from them is x-forwarded-for believed',
  ),
  WORKER_PORT: setting(port(7070), 'health and metrics of the worker'),
  PKI_DIR: setting(z.string().optional(), 'certificates of the doors and the partners’ CA set and CRLs; default TALLYSTICK_HOME/pki'),
  KEYS_DIR: setting(z.string().optional(), 'signing keys of this installation (JWK files); default TALLYSTICK_HOME/keys'),
  SPOOL_DIR: setting(
    z.string().optional(),
    'where bodies and answers that are too large for memory wait, in files without a name; default TALLYSTICK_HOME/spool',
  ),
  SCRIPTED_SUBJECTS: setting(
    z.enum(['on', 'off']).optional(),
    'well-known subjects that always allow, deny, review, are slow or unavailable, for testers; unset: on outside production; refused in it',
  ),
  INTERNAL_JWKS_FILE: setting(
    z.string().optional(),
    'public keys of the issuer of internal callers’ tokens; default KEYS_DIR/internal-issuer.jwks.json, none in production',
  ),
  INTERNAL_TOKEN_ISSUER: setting(z.string().default('tallystick-dev-issuer'), 'the `iss` that internal tokens must carry'),
} as const satisfies Record<string, Setting<z.ZodType>>;

export type Config = { readonly [Name in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[Name]['schema']> };

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the environment once. Throws one `ConfigError` that names every wrong or, in production, unsafe setting. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, { schema, about }] of Object.entries(SETTINGS)) {
    const read = schema.safeParse(env[name] === '' ? undefined : env[name]);
    if (read.success) config[name] = read.data;
    else problems.push(`${name} (${about}): ${read.error.issues[0]!.message}`);
  }
  if (problems.length === 0) problems.push(...unsafeInProduction(config as Config));
  if (problems.length > 0) throw new ConfigError(`cannot start:\n  ${problems.join('\n  ')}`);
  return config as Config;
}

function unsafeInProduction(config: Config): string[] {
  if (config.TALLYSTICK_ENV !== 'production') return [];
  const unsafe: string[] = [];
  if (config.SCRIPTED_SUBJECTS === 'on') unsafe.push('SCRIPTED_SUBJECTS: subjects that always allow are for testers, never in production');
  if (config.DATABASE_URL === undefined) unsafe.push('DATABASE_URL: production needs a PostgreSQL of its own, not the embedded one');
  if (config.INTERNAL_TOKEN_ISSUER.includes('dev')) unsafe.push('INTERNAL_TOKEN_ISSUER: the development issuer is refused in production');
  if (!config.CONSOLE_ORIGIN?.startsWith('https://')) unsafe.push('CONSOLE_ORIGIN: staff are served over https only');
  if (!config.GATEWAY_ORIGIN.startsWith('https://')) unsafe.push('GATEWAY_ORIGIN: partners are served over https only');
  if (config.REQUEST_SIGNATURES !== 'required') unsafe.push('REQUEST_SIGNATURES: partners’ requests are signed in production');
  return unsafe;
}
