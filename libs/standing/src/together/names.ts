import { judgeClaim, type RecordIdentity } from '#records';

/** A name that a record has taken before. */
export type TakenName = Pick<RecordIdentity, 'iss' | 'jti' | 'seq' | 'payloadDigest'>;

export function nameOf({ iss, jti }: Pick<RecordIdentity, 'iss' | 'jti'>): string {
  return `${iss} ${jti}`;
}

/** Which names are taken while many records are judged: what an earlier one took, a later one finds taken. */
export class Names {
  private readonly digests = new Map<string, Uint8Array>();
  private readonly seqs = new Set<string>();

  constructor(taken: readonly TakenName[]) {
    for (const one of taken) this.take(one);
  }

  /** Refuses 409 `record.seq_reused`. */
  meet(identity: RecordIdentity): ReturnType<typeof judgeClaim> {
    const payloadDigest = this.digests.get(nameOf(identity));
    if (payloadDigest) return judgeClaim({ outcome: 'known', payloadDigest }, identity);
    return judgeClaim({ outcome: this.seqs.has(seqOf(identity)) ? 'seq_used' : 'claimed' }, identity);
  }

  take(one: TakenName): void {
    this.digests.set(nameOf(one), one.payloadDigest);
    this.seqs.add(seqOf(one));
  }
}

function seqOf({ iss, seq }: Pick<RecordIdentity, 'iss' | 'seq'>): string {
  return `${iss} ${seq}`;
}
