import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createEd25519Signer, type JsonWebKey, type Signer, thumbprint } from '#evidence';
import { type Config, ConfigError } from './config.js';

/**
 * `receipt` signs receipts and event tokens, `response` the answers of the partners' door (RFC 9421), `log` checkpoints, `export` bundles,
 * `internal-issuer` development tokens of our own callers.
 */
export const SIGNER_NAMES = ['receipt', 'response', 'log', 'export', 'internal-issuer'] as const;
export type SignerName = (typeof SIGNER_NAMES)[number];

export interface PublicJwks {
  readonly keys: readonly JsonWebKey[];
}

type KeySettings = Pick<Config, 'TALLYSTICK_ENV' | 'TALLYSTICK_HOME' | 'KEYS_DIR'>;

export function keysFolder(config: KeySettings): string {
  return config.KEYS_DIR ?? path.join(config.TALLYSTICK_HOME, 'keys');
}

export function pkiFolder(config: Pick<Config, 'TALLYSTICK_HOME' | 'PKI_DIR'>): string {
  return config.PKI_DIR ?? path.join(config.TALLYSTICK_HOME, 'pki');
}

/**
 * Loads a signing key of this installation (Ed25519, private JWK). Throws `ConfigError` where it is missing, readable by everybody,
 * or made for development and this is production.
 */
export function loadSigner(config: KeySettings, name: SignerName): Signer {
  return readSigner(config, privateFile(config, name));
}

/** The key that is to take this one's place, where one is announced. Throws as `loadSigner`. */
export function findNextSigner(config: KeySettings, name: SignerName): Signer | undefined {
  const file = nextFile(config, name);
  return existsSync(file) ? readSigner(config, file) : undefined;
}

/** Announces the next key, making one where there is none. In production an operator puts it there. */
export function announceNextSigner(config: KeySettings, name: SignerName): Signer {
  sweepDrafts(config);
  const file = nextFile(config, name);
  if (!existsSync(file)) {
    if (config.TALLYSTICK_ENV === 'production')
      throw new ConfigError(`KEYS_DIR: put the next signing key at ${file}; production makes none itself`);
    writeOnce(file, newDevelopmentKey(config.TALLYSTICK_ENV));
    publish(config, name);
  }
  return readSigner(config, file);
}

/**
 * The next key takes the place of the current one, whose public half stays published: what it signed must verify for years. Not where it was
 * compromised: then nothing under it may be believed, and what it signed is proved by the log alone.
 */
export function switchToNextSigner(config: KeySettings, name: SignerName, compromised = false): Signer {
  const [current, next] = [loadSigner(config, name), findNextSigner(config, name)];
  if (!next) throw new ConfigError(`KEYS_DIR: no next ${name} key is announced`);
  const past = [...readPastKeys(config, name).filter(({ kid }) => kid !== current.kid), ...(compromised ? [] : [current.publicJwk])];
  replaceFile(pastFile(config, name), { keys: past });
  renameSync(nextFile(config, name), privateFile(config, name));
  return createSigner(config, name);
}

/** Public halves of keys that were replaced. */
export function readPastKeys(config: KeySettings, name: SignerName): readonly JsonWebKey[] {
  const file = pastFile(config, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PublicJwks).keys : [];
}

function readSigner(config: KeySettings, file: string): Signer {
  if (!existsSync(file)) throw new ConfigError(`KEYS_DIR: there is no signing key ${file}; "npm run up" makes one for development`);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0) {
    throw new ConfigError(`KEYS_DIR: ${file} can be read by everybody on this machine; run chmod 600 on it`);
  }
  const jwk = readJwk(file);
  if (config.TALLYSTICK_ENV === 'production' && jwk['environment'] !== undefined) {
    throw new ConfigError(`KEYS_DIR: ${file} is a ${String(jwk['environment'])} key, refused in production`);
  }
  return createEd25519Signer(jwk);
}

/** Loads the key, making it first where there is none. Outside production only: there an operator brings the keys. */
export function createSigner(config: KeySettings, name: SignerName): Signer {
  sweepDrafts(config);
  const file = privateFile(config, name);
  if (!existsSync(file)) {
    if (config.TALLYSTICK_ENV === 'production')
      throw new ConfigError(`KEYS_DIR: put a signing key at ${file}; production makes none itself`);
    writeOnce(file, newDevelopmentKey(config.TALLYSTICK_ENV));
  }
  publish(config, name);
  return loadSigner(config, name);
}

/** The public halves of what was, is and will be signed with under this name; none where this machine holds no such key. */
export function readPublicKeys(config: KeySettings, name: SignerName): readonly JsonWebKey[] {
  const current = existsSync(privateFile(config, name)) ? loadSigner(config, name) : undefined;
  const signers = [current, current && findNextSigner(config, name)].filter((signer) => signer !== undefined);
  return [...publicJwks(signers).keys, ...readPastKeys(config, name)];
}

/** Where a key lies, the one announced after it, and the public halves of those before it. */
export function keyFiles(config: KeySettings, name: SignerName): readonly string[] {
  return [privateFile(config, name), nextFile(config, name), pastFile(config, name)];
}

/** For who verifies on this machine. Receipts outlive the key they were signed with, so the keys before it stay in the file. */
function publish(config: KeySettings, name: SignerName): void {
  replaceFile(publicFile(config, name), { keys: readPublicKeys(config, name) });
}

/** The public halves of our keys as a JWK set (RFC 7517 §5), for whoever verifies what we sign. */
export function publicJwks(signers: readonly Signer[]): PublicJwks {
  return { keys: signers.map((signer) => signer.publicJwk) };
}

function privateFile(config: KeySettings, name: SignerName): string {
  return path.join(keysFolder(config), `${name}.jwk.json`);
}

function nextFile(config: KeySettings, name: SignerName): string {
  return path.join(keysFolder(config), `${name}.next.jwk.json`);
}

function pastFile(config: KeySettings, name: SignerName): string {
  return path.join(keysFolder(config), `${name}.past.jwks.json`);
}

/** Where a key's public half stands; for `internal-issuer` this is the default of INTERNAL_JWKS_FILE. */
function publicFile(config: KeySettings, name: SignerName): string {
  return path.join(keysFolder(config), `${name}.jwks.json`);
}

function readJwk(file: string): JsonWebKey {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JsonWebKey;
  } catch {
    // The parser's message would quote the key.
    throw new ConfigError(`KEYS_DIR: ${file} is not a JWK`);
  }
}

function newDevelopmentKey(environment: string): JsonWebKey {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { ...jwk, alg: 'EdDSA', kid: thumbprint(jwk), environment };
}

/** Whole or not at all, and never over a key that another process made meanwhile. */
function writeOnce(file: string, jwk: JsonWebKey): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = writeDraft(file, jwk, 0o600);
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}

/** A reader finds the old or the new, never a half. */
function replaceFile(file: string, json: object): void {
  renameSync(writeDraft(file, json, 0o644), file);
}

const DRAFT = new RegExp(`^(${SIGNER_NAMES.join('|')})(\\.next|\\.past)?\\.jwks?\\.json\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`);
/** Between the lines that write a draft and give it its name. */
const draftMsMax = 60_000;

/** Removes what killed writes left, private keys among it that nobody will use. Other processes may be writing. */
function sweepDrafts(config: KeySettings): void {
  const folder = keysFolder(config);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const draft = path.join(folder, name);
    const madeAtMs = DRAFT.test(name) ? (statSync(draft, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) : Infinity;
    if (Date.now() - madeAtMs > draftMsMax) rmSync(draft, { force: true });
  }
}

/** On the disk before it gets its name: a key that partners have proved must outlive a loss of power. */
function writeDraft(file: string, json: object, mode: number): string {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, `${JSON.stringify(json, null, 2)}\n`, { mode, flag: 'wx', flush: true });
  return draft;
}
