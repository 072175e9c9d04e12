import type { ShardedId } from '#kernel';
import type { ForceChange } from '../accept-record.js';
import { type Claim, judgeClaim, type RecordIdentity } from '../identity.js';
import type { RecordInForce, StoredRecord } from '../record.js';
import type { RecordBook } from '../store.js';

/** The record book in memory. Whoever uses it runs one transaction at a time. */
export class MemoryRecordBook implements RecordBook {
  private identities: readonly RecordIdentity[] = [];
  private records: readonly StoredRecord[] = [];
  private force: readonly (RecordInForce & { readonly subject: string })[] = [];
  equivocations: readonly RecordIdentity[] = [];

  /** Remembers the present; the answer goes back to it. */
  snapshot(): () => void {
    const { identities, records, force, equivocations } = this;
    return () => void Object.assign(this, { identities, records, force, equivocations });
  }

  async claim(identity: RecordIdentity): Promise<Claim> {
    const known = this.identities.find(({ iss, jti }) => iss === identity.iss && jti === identity.jti);
    if (known) return { outcome: 'known', payloadDigest: known.payloadDigest };
    if (this.identities.some(({ iss, seq }) => iss === identity.iss && seq === identity.seq)) return { outcome: 'seq_used' };
    this.identities = [...this.identities, identity];
    return { outcome: 'claimed' };
  }

  /** Those of which a name is one of these. */
  taken(wanted: readonly RecordIdentity[]): RecordIdentity[] {
    return this.identities.filter((known) =>
      wanted.some(({ iss, jti, seq }) => known.iss === iss && (known.jti === jti || known.seq === seq)),
    );
  }

  async find(iss: string, jti: string): Promise<StoredRecord | undefined> {
    return this.records.find((record) => record.iss === iss && record.jti === jti);
  }

  async receiptsOf(issuer: string, jtis: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map(
      this.records.flatMap(({ iss, jti, receipt }) => (iss === issuer && jtis.includes(jti) && receipt ? [[jti, receipt] as const] : [])),
    );
  }

  async lastSeq(iss: string): Promise<number | undefined> {
    const used = this.identities.filter((identity) => identity.iss === iss).map(({ seq }) => seq);
    return used.length === 0 ? undefined : Math.max(...used);
  }

  async inForce(subject: ShardedId): Promise<RecordInForce[]> {
    return this.force.filter((row) => row.subject === subject.uuid).map(({ subject: _, ...row }) => row);
  }

  async keep(record: StoredRecord): Promise<void> {
    this.records = [...this.records, { names: undefined, ...record }];
  }

  async changeForce(subject: ShardedId, { removed, added }: ForceChange): Promise<void> {
    this.force = this.force.filter((row) => !(row.subject === subject.uuid && row.iss === removed?.iss && row.jti === removed.jti));
    if (!added) return;
    this.force = [...this.force, { ...added, subject: subject.uuid }].sort((a, b) => a.asOf.getTime() - b.asOf.getTime());
  }

  /** Forgets what is past its validity, as saving a standing does in PostgreSQL. */
  async dropExpired(subject: ShardedId, at: Date): Promise<void> {
    this.force = this.force.filter((row) => row.subject !== subject.uuid || row.validUntil > at);
  }

  async keepEquivocation(identity: RecordIdentity): Promise<boolean> {
    const kept = this.equivocations.some((other) => {
      const sameNames = other.iss === identity.iss && other.jti === identity.jti;
      return sameNames && judgeClaim({ outcome: 'known', payloadDigest: other.payloadDigest }, identity) === 'repetition';
    });
    if (!kept) this.equivocations = [...this.equivocations, identity];
    return !kept;
  }
}
