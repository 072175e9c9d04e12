import {
  type CounterStatement,
  counterClaims,
  type CryptoPort,
  encodeBase64Url,
  isSameSet,
  type JsonWebKey,
  type JsonObject,
  SET_STATEMENT_TYPE,
  type SetPlace,
  type SetStatement,
  sortedRoot,
  thumbprint,
} from '#evidence';
import { type Clock, type Fact, type FactPosition, type FactValue, formatFactId, Refusal, shardOf, type Verified } from '#kernel';
import type { SetSnapshot } from './record-set.js';
import type { RecordSets } from './record-sets.js';
import type { Pause } from './set-shelf.js';
import type { AgreedStatement, SetStatementStore } from './store.js';

/** How old a statement may be when it comes, and how far its clock may be ahead. */
const statementAgeSecondsMax = 3_600;
const statementAheadSecondsMax = 60;

/** A participant's half with the public key it was signed with. */
export interface ReceivedStatement {
  readonly statement: SetStatement;
  readonly key: JsonWebKey;
}

/** What signs our halves. */
export interface SetNotary {
  readonly issuer: string;
  sign(typ: string, claims: JsonObject, reader: string): string;
}

/** How a large set is worked through: with whose hashes, and letting others have their turn. */
export interface Work {
  readonly crypto: CryptoPort;
  readonly pause: Pause;
}

/** Answers a participant's half with ours, where both say the same of the same records. */
export class AgreeOnSet {
  constructor(
    private readonly sets: RecordSets,
    private readonly store: SetStatementStore,
    private readonly notary: SetNotary,
    private readonly work: Work & { readonly clock: Clock },
  ) {}

  /**
   * The first statement about a place stays; saying the same again is a repetition. Refuses 403 `record_set.issuer_mismatch`, 422 `record_set.audience`,
   * `record_set.statement_time`, what `RecordSets.snapshot` refuses, and 409 `record_set.differs` with our count and root.
   */
  async run(caller: string, received: Verified<ReceivedStatement>): Promise<{ agreed: AgreedStatement; repeated: boolean }> {
    const { statement } = received.value;
    this.check(caller, statement);
    const known = await this.store.find(caller, statement);
    if (known) return { agreed: same(statement, known), repeated: true };
    const snapshot = await this.sets.snapshot(caller, statement);
    const ours = { count: snapshot.count, root: await this.rootOf(snapshot) };
    const agreed = await this.save(caller, received, { ...snapshot.place, ...ours });
    return { agreed: same(statement, agreed.statement), repeated: !agreed.added };
  }

  private check(caller: string, { iss, aud, iat }: SetStatement): void {
    if (iss !== caller) {
      throw new Refusal('forbidden', 'record_set.issuer_mismatch', 'iss must be the participant that sends the statement', {
        field: '/iss',
      });
    }
    if (aud !== this.notary.issuer) {
      throw new Refusal('unprocessable', 'record_set.audience', `aud must be ${this.notary.issuer}`, { field: '/aud' });
    }
    const ageSeconds = this.work.clock.now().getTime() / 1_000 - iat;
    if (ageSeconds > statementAgeSecondsMax || ageSeconds < -statementAheadSecondsMax) {
      throw new Refusal('unprocessable', 'record_set.statement_time', 'iat is too long ago or in the future: sign the statement now', {
        field: '/iat',
        limit: `statementAgeSecondsMax=${statementAgeSecondsMax}`,
      });
    }
  }

  private rootOf({ tree, count }: SetSnapshot): Promise<Uint8Array> {
    return sortedRoot(this.work.crypto, tree, count, this.work.pause);
  }

  private async save(caller: string, { value, received }: Verified<ReceivedStatement>, ours: Ours) {
    const { statement, key } = value;
    same(statement, ours);
    const answers = await this.work.crypto.sha256(received);
    const fact: Fact = { shard: shardOf(caller), kind: 'record_set.agreed', participant: caller, body: factBody(statement, answers) };
    return await this.store.add(fact, (position) => ({
      ...{ participant: caller, set: ours.set, logIndex: ours.logIndex, before: ours.before, count: ours.count, root: ours.root },
      ...{ ownHalf: received, key, position },
      ourHalf: this.counter(caller, { ...ours, answers, key: thumbprint(key) }, position),
    }));
  }

  private counter(caller: string, half: Ours & Pick<CounterStatement, 'answers' | 'key'>, { shard, seq, at }: FactPosition): string {
    const iat = Math.floor(at.getTime() / 1_000);
    const claims = counterClaims({ ...half, iss: this.notary.issuer, aud: caller, iat, fact: formatFactId(shard, seq) });
    return this.notary.sign(SET_STATEMENT_TYPE, claims, caller);
  }
}

type Ours = SetPlace & Pick<SetStatement, 'count' | 'root'>;

/** `ours`, where `theirs` says the same. */
function same<T extends Ours>(theirs: SetStatement, ours: T): T {
  if (isSameSet(theirs, { ...theirs, ...ours })) return ours;
  throw new Refusal('conflict', 'record_set.differs', 'you and we hold different records: reconcile, then state again', {
    extra: { logIndex: ours.logIndex.toString(), count: ours.count, root: encodeBase64Url(ours.root) },
  });
}

function factBody({ set, logIndex, before, count, root }: SetStatement, answers: Uint8Array): Record<string, FactValue> {
  return {
    ...{ set, log_index: logIndex.toString(), ...(before === undefined ? {} : { before }) },
    ...{ count, root: encodeBase64Url(root), statement: encodeBase64Url(answers) },
  };
}
