import { Refusal } from '#kernel';
import { parseBase64Url, toBase64Url } from '../base64.js';
import { concatBytes, parseDecimal, parseUtf8, sameBytes, utf8 } from '../bytes.js';
import { canonicalBytes, canonicalize } from '../canonical.js';
import type { CryptoPort, Ed25519Signer } from '../crypto/crypto-port.js';
import type { Vkey } from '../note/vkey.js';
import type { ExportFilter } from './export-filter.js';

/** What an export says about itself. Signed, but believed only where the log agrees. */
export interface ExportManifest {
  readonly v: 1;
  readonly export: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly filter: ExportFilter;
  /** The log, its size at the checkpoint, and keys to compare with the trusted ones (never to trust by themselves). */
  readonly log: { readonly origin: string; readonly size: string; readonly vkey: string; readonly exportVkey: string };
  /** Log indexes, `end` excluded, as decimal strings. */
  readonly range: { readonly start: string; readonly end: string };
  readonly counts: { readonly included: string; readonly excluded: string };
  /** SHA-256 (Base 64) of the small parts. */
  readonly parts: Readonly<Record<DigestedPart, string>>;
}

export const DIGESTED_PARTS = ['README.txt', 'checkpoint', 'range-proof.json'] as const;
export type DigestedPart = (typeof DIGESTED_PARTS)[number];

/** In the order in which they stand in the archive: the small ones last, when everything is known. */
export const BUNDLE_PARTS = ['leaves.bin', 'entries.ndjson', ...DIGESTED_PARTS, 'manifest.json', 'manifest.jws'] as const;
export type BundlePart = (typeof BUNDLE_PARTS)[number];

const MANIFEST_TYP = 'export-manifest+jws';

/** The export key's name beside the log's: one file of trusted keys holds both. */
export function exportKeyName(origin: string): string {
  return `${origin}/export`;
}

/** manifest.json and its compact JWS (RFC 7515), whose payload is that same file. */
export function signManifest(
  manifest: ExportManifest,
  signer: Ed25519Signer & { readonly kid: string },
): { json: Uint8Array; jws: Uint8Array } {
  const json = canonicalBytes(manifest);
  const header = canonicalBytes({ alg: 'EdDSA', kid: signer.kid, typ: MANIFEST_TYP });
  const signingInput = utf8.encode(`${toBase64Url(header)}.${toBase64Url(json)}`);
  return { json, jws: concatBytes([signingInput, utf8.encode(`.${toBase64Url(signer.sign(signingInput))}`)]) };
}

/** Refuses `bundle.manifest_invalid`: form, signature, or a manifest.json that is not what was signed. */
export async function verifyManifest(
  crypto: CryptoPort,
  json: Uint8Array,
  jws: Uint8Array,
  trusted: readonly Vkey[],
): Promise<ExportManifest> {
  const manifest = parseManifest(json);
  const key = trusted.find(({ name }) => name === exportKeyName(manifest.log.origin));
  if (!key) throw invalid(`no trusted key is named ${JSON.stringify(exportKeyName(manifest.log.origin))}`, 'manifest.json');
  const [header = '', payload = '', signature = '', ...rest] = new TextDecoder().decode(jws).split('.');
  if (rest.length > 0 || !isManifestHeader(decode(header))) throw invalid('not a compact JWS of an export manifest', 'manifest.jws');
  if (!(await crypto.verifyEd25519(key.publicKey, utf8.encode(`${header}.${payload}`), decode(signature)))) {
    throw invalid('the signature does not verify', 'manifest.jws');
  }
  if (!sameBytes(decode(payload), json)) throw invalid('manifest.json is not what manifest.jws signs', 'manifest.json');
  return manifest;
}

function decode(text: string): Uint8Array {
  try {
    return parseBase64Url(text);
  } catch {
    throw invalid('not canonical Base 64 for URLs', 'manifest.jws');
  }
}

function isManifestHeader(bytes: Uint8Array): boolean {
  return /^\{"alg":"EdDSA","kid":"[^"\\]{1,128}","typ":"export-manifest\+jws"\}$/.test(new TextDecoder().decode(bytes));
}

/** Reads manifest.json, which must be canonical. Refuses `bundle.manifest_invalid`. */
export function parseManifest(json: Uint8Array): ExportManifest {
  let manifest: ExportManifest;
  try {
    const text = parseUtf8(json, 'bundle.manifest_invalid');
    manifest = JSON.parse(text) as ExportManifest;
    if (canonicalize(manifest) !== text) throw new TypeError('not canonical');
    requireShape(manifest);
  } catch {
    throw invalid('not the canonical JSON of an export manifest', 'manifest.json');
  }
  return manifest;
}

function requireShape(manifest: ExportManifest): void {
  const { log, range, counts, parts, filter } = manifest;
  for (const number of [log.size, range.start, range.end, counts.included, counts.excluded])
    parseDecimal(number, 'bundle.manifest_invalid');
  const texts = [log.origin, log.vkey, log.exportVkey, manifest.export, ...DIGESTED_PARTS.map((part) => parts[part])];
  const optional = [filter.from, filter.to, filter.subject, filter.participant].filter((value) => value !== undefined);
  const isShaped =
    [...texts, ...optional].every((value) => typeof value === 'string') && (filter.kinds ?? []).every((kind) => typeof kind === 'string');
  if (manifest.v !== 1 || !isShaped) throw new TypeError('a member has another type');
}

const invalid = (detail: string, part: string) =>
  new Refusal('unprocessable', 'bundle.manifest_invalid', `${part}: ${detail}`, { extra: { part } });
