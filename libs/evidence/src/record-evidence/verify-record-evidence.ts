import { Refusal } from '#kernel';
import { concatBytes, sameBytes, utf8 } from '../bytes.js';
import { canonicalize } from '../canonical.js';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { decodeBase64Url, encodeBase64Url } from '../jose/base64url.js';
import { type PublicJwk, thumbprintInput } from '../jose/public-jwk.js';
import { type JsonObject, parseJsonStrict } from '../jose/strict-json.js';
import type { FindKey, verifyJws } from '../jose/verify-jws.js';
import type { Vkey } from '../note/vkey.js';
import { MANIFEST_TYPE, readManifest, verifySealedLine } from '../sealed/sealed-batch.js';
import type { checkRevocationList } from './checked-list.js';
import { parseRecordEvidence, type RecordEvidence } from './evidence-form.js';
import { type EvidenceReport, EvidenceSteps } from './evidence-steps.js';
import { concernsKey, goodStateAt } from './key-history.js';
import type { checkCertificate } from './presented-certificate.js';
import { RECORD_RECEIPT_TYP, verifyReceipt } from '../jose/verify-receipt.js';
import { type ClaimedFact, proveFact, proveFacts, readClaim } from './proven-fact.js';

/** Keys that the verifier trusts on other grounds; the evidence itself vouches for nothing. */
export interface EvidenceTrust {
  readonly logKeys: readonly Vkey[];
  readonly receiptKeys: readonly Vkey[];
}

/** What it takes beside arithmetic, of Node or of a browser. */
export interface EvidenceTools {
  readonly crypto: CryptoPort;
  readonly verifyJws: typeof verifyJws;
  parsePublicJwk(input: unknown): PublicJwk | Promise<PublicJwk>;
  /** What reads X.509 and its revocation lists. A browser does not: there those two steps are not shown. */
  readonly certificates?: { readonly checkCertificate: typeof checkCertificate; readonly checkRevocationList: typeof checkRevocationList };
}

type By = EvidenceTools & EvidenceTrust;

interface SignedPayload {
  readonly bytes: Uint8Array;
  readonly claims: JsonObject;
}

/**
 * Verifies the evidence of a record from its bytes and the trusted keys alone: no network, no registry, whatever became of key and
 * certificate since. One verdict for each step, in order: the form; the issuer's signature; for a line of a sealed batch its place under the
 * signed root; the receipt; the fact in the log, which commits to exactly these bytes; its inclusion; the key, registered in the log and good
 * at receipt; the certificate, as it was presented; that its authority had not revoked it then. Malformed evidence is a failed step, never an exception.
 */
export function verifyEvidenceWith(tools: EvidenceTools, bytes: Uint8Array, trust: EvidenceTrust): Promise<EvidenceReport> {
  const by = { ...tools, ...trust };
  return new EvidenceSteps().report(async (steps) => {
    const evidence = await steps.take('form', () => Promise.resolve([parseRecordEvidence(bytes), 'record evidence of version 1'] as const));
    const payload = await signedPayload(steps, evidence, by);
    const receipt = await steps.take('receipt', () => checkReceipt(evidence, payload, by));
    const accepted = await steps.take('commitment', () => checkCommitment(evidence, payload, receipt, by));
    await steps.take('inclusion', () => checkInclusion(accepted, by));
    await steps.take('key', () => checkKeyFacts(evidence, accepted, by));
    await checkCertificates(steps, evidence, accepted, by);
  });
}

/** The payload under the issuer's signature: its own, or the one over the root of its batch. */
async function signedPayload(steps: EvidenceSteps, { record, key }: RecordEvidence, by: By): Promise<SignedPayload> {
  const { sealed } = record;
  const under = `under key ${key.kid} (${key.thumbprint})`;
  if (!sealed) {
    return await steps.take('signature', async () => {
      const { value } = await by.verifyJws(decodeBase64Url(record.received, 'record'), 'credit-record+jwt', await registered(key, by));
      return [{ bytes: value.payloadBytes, claims: value.payload }, `the record verifies ${under}`];
    });
  }
  const manifest = await steps.take('signature', async () => {
    const signed = await by.verifyJws(utf8.encode(sealed.manifest), MANIFEST_TYPE, await registered(key, by));
    return [{ ...signed, value: readManifest(signed.value.payload) }, `the manifest verifies ${under}`];
  });
  return await steps.take('sealed', async () => {
    const path = sealed.path.map((hash) => decodeBase64Url(hash, 'path'));
    const bytes = decodeBase64Url(record.received, 'record');
    await verifySealedLine(by.crypto, manifest, sealed.index, bytes, path);
    const claims = parseJsonStrict(bytes, 'record.malformed');
    if (claims['iss'] !== manifest.value.iss) throw differs('the line is by another issuer than its manifest');
    return [{ bytes, claims }, `line ${sealed.index} of the ${manifest.value.count} that the manifest signs`];
  });
}

/** Whatever became of it since; that it was good at receipt is shown by the log. Refuses what `parsePublicJwk` refuses. */
async function registered({ kid, alg, jwk, thumbprint }: RecordEvidence['key'], { crypto, parsePublicJwk }: By): Promise<FindKey> {
  const key = await parsePublicJwk({ ...jwk, kid, alg });
  if (canonicalize(key.jwk) !== canonicalize(jwk) || encodeBase64Url(await crypto.sha256(thumbprintInput(key.jwk))) !== thumbprint) {
    throw new Refusal('unprocessable', 'evidence.key_altered', 'the key is not the one of this thumbprint, or says more than a key');
  }
  return (wanted) => (wanted === kid ? { ...key, state: 'ACTIVE' } : undefined);
}

async function checkReceipt({ receipt, fact }: RecordEvidence, { bytes, claims }: SignedPayload, by: By) {
  const told = await verifyReceipt(receipt, RECORD_RECEIPT_TYP, by.receiptKeys, by.verifyJws);
  const digest = encodeBase64Url(await by.crypto.sha256(bytes));
  if (told['sub'] !== claims['jti'] || told['payload_digest'] !== digest || told['fact'] !== fact.fact) {
    throw differs('the receipt is about another record, other bytes or another fact');
  }
  return [told, `record ${String(claims['jti'])} of ${String(claims['iss'])}, SHA-256 ${digest}, fact ${fact.fact}`] as const;
}

/** SHA-256(salt || payload) of the receipt's salt stands in the fact (CONTRACT.md §9). */
async function checkCommitment({ fact }: RecordEvidence, { bytes, claims }: SignedPayload, receipt: JsonObject, { crypto }: By) {
  const accepted = readClaim(fact);
  const { kind, participant, body, at, factId } = accepted.entry;
  const salt = receipt['commitment_salt'];
  if (typeof salt !== 'string') throw differs('the receipt has no salt');
  const commitment = await crypto.sha256(concatBytes([decodeBase64Url(salt, 'salt'), bytes]));
  const isSame = typeof body['commitment'] === 'string' && sameBytes(decodeBase64Url(body['commitment'], 'commitment'), commitment);
  if (kind !== 'record.accepted' || !isSame) throw differs(`fact ${factId} does not commit to these bytes`);
  const isTold = participant === claims['iss'] && body['record'] === claims['kind'];
  if (!isTold || Math.floor(Date.parse(at) / 1_000) !== receipt['iat'])
    throw differs(`fact ${factId} is told otherwise by record or receipt`);
  return [accepted, `fact ${factId} commits to exactly these bytes, accepted at ${at}`] as const;
}

async function checkInclusion(accepted: ClaimedFact, by: By) {
  await proveFact(accepted, by);
  return [undefined, `entry ${accepted.proof.index} of the log`] as const;
}

/** The log, not our registry, says whose key it was: its registration came first, and it was good at receipt. */
async function checkKeyFacts({ key }: RecordEvidence, { entry, proof }: ClaimedFact, by: By) {
  if (entry.body['key'] !== key.thumbprint) throw differs('the fact names another key');
  const facts = await proveFacts(key.facts, entry.participant!, by);
  const events = facts.map((fact) => fact.entry);
  if (events.some((event) => !concernsKey(event, key))) throw differs('a fact is about another key');
  const state = goodStateAt(events, entry.at);
  if (state !== key.stateAtReceipt) throw differs(`the key was ${state} at receipt, not ${key.stateAtReceipt}`);
  const [first] = facts as [ClaimedFact];
  // Either order is proof enough: entries of two shards may be sealed together, and a clock may have been set back.
  if (first.entry.at > entry.at && first.proof.index > proof.index) throw differs('the key was registered after the record was accepted');
  return [
    undefined,
    `registered at ${first.entry.at} (entry ${first.proof.index}), ${state} at receipt${laterOf(events, entry.at)}`,
  ] as const;
}

function laterOf(events: readonly ClaimedFact['entry'][], at: string): string {
  const later = events.filter((event) => event.at > at);
  const told = ({ kind, at: when, body }: ClaimedFact['entry']) =>
    `${kind.replace('participant.key_', '')} at ${when}${typeof body['suspectedSince'] === 'string' ? `, suspected since ${body['suspectedSince']}` : ''}`;
  return later.length === 0 ? '' : `; later ${later.map(told).join('; ')}`;
}

/** The certificate as it was presented, and that its authority had not revoked it then. */
async function checkCertificates(steps: EvidenceSteps, evidence: RecordEvidence, accepted: ClaimedFact, by: By): Promise<void> {
  const { certificates } = by;
  if (evidence.certificate && !certificates) {
    for (const step of ['certificate', 'revocation'] as const) steps.leaveOut(step, 'this verifier reads no X.509: tallystick verify does');
    return;
  }
  const isListKept = await steps.take('certificate', async () => {
    const { certificate } = evidence;
    if (certificate?.['x5t#S256'] !== accepted.entry.body['certificate']) throw differs('the fact names another certificate');
    if (!certificate) return [false, 'the fact names none: the record did not come over a connection of the issuer'] as const;
    const facts = await proveFacts(certificate.facts, accepted.entry.participant!, by);
    const { isListKept, detail } = certificates!.checkCertificate(certificate, facts);
    return [isListKept, detail] as const;
  });
  await checkRevocation(steps, evidence, accepted, { ...by, isListKept });
}

async function checkRevocation(
  steps: EvidenceSteps,
  { certificate }: RecordEvidence,
  accepted: ClaimedFact,
  by: By & { readonly isListKept: boolean },
): Promise<void> {
  if (!certificate) return;
  const { revocation } = certificate;
  if (!revocation && !by.isListKept) {
    steps.leaveOut('revocation', 'no revocation list was kept then: that the certificate was not revoked is what the gateway decided');
    return;
  }
  await steps.take('revocation', async () => {
    if (!revocation)
      throw new Refusal('unprocessable', 'evidence.list_missing', 'the list that the certificate was checked with is left out');
    const [check] = (await proveFacts([revocation.checked], accepted.entry.participant!, by)) as [ClaimedFact];
    // Either order is proof enough, as for keys.
    if (check.entry.at > accepted.entry.at && check.proof.index > accepted.proof.index) throw differs('the check came after the record');
    return [undefined, by.certificates!.checkRevocationList(certificate, revocation.list, check.entry, accepted.entry)] as const;
  });
}

const differs = (detail: string) => new Refusal('unprocessable', 'evidence.mismatch', detail);
