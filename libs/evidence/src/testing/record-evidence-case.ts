import { createHash } from 'node:crypto';
import { formatFactId, type Shard, SHARDS } from '#kernel';
import { encodeLogEntry, type StoredFact } from '../canonical.js';
import { utf8 } from '../bytes.js';
import { nodeCrypto } from '../crypto/node-crypto.js';
import { decodeBase64Url, encodeBase64Url } from '../jose/base64url.js';
import { thumbprint } from '../jose/keys.js';
import { createEd25519Signer, type Signer, signJws } from '../jose/sign-jws.js';
import { signCheckpoint } from '../note/checkpoint.js';
import { formatTlogProof } from '../note/tlog-proof.js';
import { vkeyOf } from '../note/vkey.js';
import type { FactEvidence, RecordEvidence } from '../record-evidence/evidence-form.js';
import type { EvidenceTrust } from '../record-evidence/verify-record-evidence.js';
import { MANIFEST_TYPE } from '../sealed/sealed-batch.js';
import { naiveLeaf, naivePath, naiveRoot } from './naive-tree.js';
import { AUTHORITY_X5T, CHAIN, LISTS, X5T } from './published-lists.js';

const ORIGIN = 'log.test/evidence';
const JTI = '01939a6e-7a00-7abc-8def-000000000001';

/** RFC 8032, test vectors 1 to 3: keys that everybody knows. */
const signerOf = (d: string, x: string, kid: string): Signer => createEd25519Signer({ kty: 'OKP', crv: 'Ed25519', d, x, kid });
const bank = signerOf('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'bank-a-1');
const log = signerOf('TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs', 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw', 'log');
const receipts = signerOf('xaqN9D-fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc', '_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU', 'receipt');

const ACCEPTED_AT = new Date('2027-01-01T12:00:00.000Z');
const after = (seconds: number) => new Date(ACCEPTED_AT.getTime() + seconds * 1_000);
const key = { kid: bank.kid, alg: 'EdDSA', jkt: thumbprint(bank.publicJwk) };
const sha256 = (...parts: Uint8Array[]) => encodeBase64Url(createHash('sha256').update(Buffer.concat(parts)).digest());

type Named = 'registered' | 'presented' | 'checked' | 'accepted' | 'retired' | 'compromised' | 'revoked';
type Body = StoredFact['body'];

/** What is different from a good case: bodies of facts, times of facts in seconds from acceptance, claims of the receipt. */
export interface CaseChange {
  readonly sealed?: boolean;
  /** Which list the certificate was checked with. */
  readonly list?: keyof typeof LISTS;
  readonly bodies?: Readonly<Partial<Record<Named, Body>>>;
  readonly kinds?: Readonly<Partial<Record<Named, string>>>;
  readonly seconds?: Readonly<Partial<Record<Named, number>>>;
  readonly receipt?: Readonly<Record<string, string | number>>;
}

/** A log that tells the life of a key and a certificate around one record, and the evidence of that record. */
export async function recordEvidenceCase(change: CaseChange = {}): Promise<{ evidence: RecordEvidence; trust: EvidenceTrust }> {
  const payload = utf8.encode(JSON.stringify({ iss: 'bank-a', jti: JTI, kind: 'rating', score: 800 }));
  const salt = new Uint8Array(16).fill(7);
  const facts = factsOf(sha256(salt, payload), change);
  const sealed = await sealAll(Object.values(facts));
  const told = Object.fromEntries(Object.keys(facts).map((name, i) => [name, sealed[i]!])) as Record<Named, FactEvidence>;
  const claims = { sub: JTI, payload_digest: sha256(payload), commitment_salt: encodeBase64Url(salt), fact: told.accepted.fact };
  const receipt = signJws(
    'record-receipt+jwt',
    { iss: 'https://gateway.test', ...claims, iat: ACCEPTED_AT.getTime() / 1_000, ...change.receipt },
    receipts,
  );
  const [logKey, receiptKey] = await Promise.all([vkeyOf(nodeCrypto, ORIGIN, log), vkeyOf(nodeCrypto, `${ORIGIN}/receipt`, receipts)]);
  return {
    trust: { logKeys: [logKey], receiptKeys: [receiptKey] },
    evidence: {
      v: 1,
      record: change.sealed ? sealedRecord(payload) : { received: encodeBase64Url(utf8.encode(signedRecord(payload))) },
      key: {
        kid: key.kid,
        alg: key.alg,
        jwk: publicMembers(),
        thumbprint: key.jkt,
        stateAtReceipt: 'ACTIVE',
        facts: [told.registered, told.retired, told.compromised],
      },
      certificate: {
        'x5t#S256': X5T,
        serial: '1234',
        chain: CHAIN,
        facts: [told.presented, told.revoked],
        revocation: { list: LISTS[change.list ?? 'good'], checked: told.checked },
      },
      receipt,
      fact: told.accepted,
    },
  };
}

function factsOf(commitment: string, { bodies, kinds, seconds, list = 'good' }: CaseChange): Record<Named, StoredFact> {
  const [ours, subjects] = [SHARDS[3]!, SHARDS[9]!];
  const fact = (name: Named, shard: Shard, seq: bigint, kind: string, at: number, body: Body): StoredFact => ({
    shard,
    seq,
    at: after(seconds?.[name] ?? at),
    kind: kinds?.[name] ?? kind,
    participant: 'bank-a',
    body: bodies?.[name] ?? body,
  });
  const certificate = { x5t: X5T, serial: '1234' };
  return {
    registered: fact('registered', ours, 1n, 'participant.key_added', -900, key),
    presented: fact('presented', ours, 2n, 'participant.certificate_presented', -1, { ...certificate, issuer: AUTHORITY_X5T, list: 'any' }),
    accepted: fact('accepted', subjects, 1n, 'record.accepted', 0, { record: 'rating', commitment, key: key.jkt, certificate: X5T }),
    retired: fact('retired', ours, 3n, 'participant.key_retired', 900, { kid: key.kid }),
    compromised: fact('compromised', ours, 4n, 'participant.key_compromised', 950, {
      kid: key.kid,
      suspectedSince: after(-5).toISOString(),
    }),
    revoked: fact('revoked', ours, 5n, 'participant.certificate_revoked', 999, { ...certificate, reason: 'lost' }),
    checked: fact('checked', ours, 6n, 'participant.certificate_checked', -1, {
      x5t: X5T,
      list: sha256(decodeBase64Url(LISTS[list], 'list')),
    }),
  };
}

async function sealAll(facts: readonly StoredFact[]): Promise<FactEvidence[]> {
  const entries = facts.map(encodeLogEntry);
  const leaves = entries.map(naiveLeaf);
  const checkpoint = await signCheckpoint(nodeCrypto, { origin: ORIGIN, size: BigInt(leaves.length), root: naiveRoot(leaves) }, log);
  return facts.map(({ shard, seq }, i) => ({
    fact: formatFactId(shard, seq),
    proof: formatTlogProof({ extra: entries[i]!, index: BigInt(i), path: naivePath(i, leaves), checkpoint }),
  }));
}

function signedRecord(payload: Uint8Array): string {
  return signJws('credit-record+jwt', JSON.parse(new TextDecoder().decode(payload)) as Record<string, string>, bank);
}

/** The second of three lines. */
function sealedRecord(payload: Uint8Array): RecordEvidence['record'] {
  const leaves = [utf8.encode('{"a":1}'), payload, utf8.encode('{"b":2}')].map(naiveLeaf);
  const claims = { iss: 'bank-a', jti: JTI, iat: 1_700_000_000, count: leaves.length, root: encodeBase64Url(naiveRoot(leaves)) };
  const sealed = { manifest: signJws(MANIFEST_TYPE, claims, bank), index: 1, path: naivePath(1, leaves).map(encodeBase64Url) };
  return { received: encodeBase64Url(payload), sealed };
}

function publicMembers(): RecordEvidence['key']['jwk'] {
  const { kty, crv, x } = bank.publicJwk;
  return { kty: kty!, crv: crv!, x: x! };
}
