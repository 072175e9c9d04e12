import {
  concernsCertificate,
  concernsKey,
  encodeBase64Url,
  isCheckOf,
  keyStateAt,
  type LogEntry,
  type RecordEvidence,
  type StoredFact,
  thumbprint,
} from '#evidence';
import type { FactEvidence, NamedKey } from '#evidence';
import { formatFactId, invariant, shardOf } from '#kernel';
import type { Participant } from '#partners';
import type { BatchFiles, BatchStore, StoredRecord } from '#records';
import type { InclusionProofs } from './inclusion-proofs.js';
import type { FactSource } from './store.js';

/** What the log will say, or says, of a participant itself: its keys and certificates. */
export interface ParticipantFacts {
  /** In the order of their shard. */
  of(participant: string): Promise<readonly StoredFact[]>;
}

/** Certificates as they were presented, and the lists they were checked with. */
export interface PresentedChains {
  findChain(participant: string, x5t: string): Promise<string | undefined>;
  /** A revocation list by its digest, DER. */
  findList(list: string): Promise<Uint8Array | undefined>;
}

export interface EvidenceSources {
  readonly proofs: InclusionProofs;
  readonly facts: FactSource;
  readonly participants: ParticipantFacts;
  readonly chains: PresentedChains;
  readonly batches: Pick<BatchStore, 'find'>;
  readonly files: Pick<BatchFiles, 'inclusionPath'>;
}

type Revocation = NonNullable<NonNullable<RecordEvidence['certificate']>['revocation']>;

/** What is larger is not put into evidence. */
const listBytesMax = 8 * 1_048_576;

/** Gathers all that it takes to verify a record without us (`verifyRecordEvidence`). What is not sealed yet has no proof yet. */
export class GatherEvidence {
  constructor(private readonly sources: EvidenceSources) {}

  async of(issuer: Participant, record: StoredRecord, receipt: string): Promise<RecordEvidence> {
    const { factSeq: upToSeq } = record;
    const accepted = (await this.sources.facts.read([{ shard: record.ref.shard, afterSeq: upToSeq - 1n, upToSeq }]))[0]?.[0];
    invariant(accepted, 'a record has its fact');
    const told = await this.sources.participants.of(issuer.id);
    const certificate = await this.certificate(issuer.id, accepted, told);
    return {
      v: 1,
      record: await this.received(record),
      key: await this.key(issuer, accepted, told),
      ...(certificate ? { certificate } : {}),
      receipt,
      fact: await this.prove(accepted),
    };
  }

  private async received({ iss, received, sealed }: StoredRecord): Promise<RecordEvidence['record']> {
    const bytes = encodeBase64Url(received);
    if (!sealed) return { received: bytes };
    const batch = await this.sources.batches.find({ shard: shardOf(iss), uuid: sealed.batch });
    invariant(batch?.manifest, 'a sealed line has its manifest');
    const path = await this.sources.files.inclusionPath(batch.id, sealed.index, batch.linesTotal);
    const manifest = new TextDecoder().decode(batch.manifest);
    return { received: bytes, sealed: { manifest, index: sealed.index, path: path.map(encodeBase64Url) } };
  }

  private async key({ keys }: Participant, { body, at }: StoredFact, told: readonly StoredFact[]): Promise<RecordEvidence['key']> {
    const key = keys.find(({ jwk }) => thumbprint(jwk) === body['key']);
    invariant(key, 'a record names the registered key that signed it, and keys are never removed');
    const named: NamedKey = { kid: key.kid, alg: key.alg, thumbprint: thumbprint(key.jwk) };
    const facts = told.filter((fact) => concernsKey(eventOf(fact), named));
    const stateAtReceipt = keyStateAt(facts.map(eventOf), at.toISOString()) ?? 'UNKNOWN';
    const jwk = key.jwk as RecordEvidence['key']['jwk'];
    return { ...named, jwk, stateAtReceipt, facts: await Promise.all(facts.map((fact) => this.prove(fact))) };
  }

  private async certificate(
    participant: string,
    { body, at }: StoredFact,
    told: readonly StoredFact[],
  ): Promise<RecordEvidence['certificate']> {
    const x5t = body['certificate'];
    if (typeof x5t !== 'string') return undefined;
    const chain = await this.sources.chains.findChain(participant, x5t);
    const facts = told.filter((fact) => concernsCertificate(eventOf(fact), x5t));
    const serial = facts[0]?.body['serial'];
    invariant(chain !== undefined && typeof serial === 'string', 'a certificate is kept before a record comes with it');
    const revocation = await this.revocation(
      told.filter((fact) => isCheckOf(eventOf(fact), x5t)),
      at,
    );
    return {
      'x5t#S256': x5t,
      serial,
      chain,
      facts: await Promise.all(facts.map((fact) => this.prove(fact))),
      ...(revocation ? { revocation } : {}),
    };
  }

  /** The last check before the record was accepted; of one process that was ahead of another, the first after it. */
  private async revocation(checks: readonly StoredFact[], acceptedAt: Date): Promise<Revocation | undefined> {
    const check = checks.findLast(({ at }) => at <= acceptedAt) ?? checks[0];
    const list = check && (await this.sources.chains.findList(String(check.body['list'])));
    if (!list || list.length > listBytesMax) return undefined;
    return { list: encodeBase64Url(list), checked: await this.prove(check) };
  }

  private async prove({ shard, seq }: StoredFact): Promise<FactEvidence> {
    const sealed = await this.sources.proofs.find(shard, seq);
    return { fact: formatFactId(shard, seq), ...(sealed ? { proof: sealed.proof } : {}) };
  }
}

function eventOf({ kind, at, body }: StoredFact): Pick<LogEntry, 'kind' | 'at' | 'body'> {
  return { kind, at: at.toISOString(), body };
}
