import { type Shard, type ShardedId, shardOf } from '#kernel';
import type { Tx } from '#platform';
import type { Dispute } from '#records';
import { BUILT_IN_DISPUTES, type DisputePolicy } from '../dispute/dispute-policy.js';
import type { AnswerEvidence, DisputeBook } from '../dispute/dispute-store.js';
import type { StoredEvent } from '../event.js';
import type { Chain } from '../imposed.js';
import { DISPUTE_COLUMNS, type DisputeRow, disputeValues, readDispute } from './dispute-rows.js';

const PLACES = DISPUTE_COLUMNS.split(',').map((_, i) => `$${i + 1}`);
const NEXT_RING = `$${PLACES.length + 1}`;

/** Owns `disputes`, `dispute_answers` and `dispute_notices`. Whoever calls holds the subject. */
export class PgDisputeBook implements DisputeBook {
  constructor(private readonly tx: Tx) {}

  async find({ shard, uuid }: ShardedId): Promise<Dispute | undefined> {
    return (await this.select('shard = $1 AND id = $2', [shard, uuid]))[0];
  }

  async byKey({ shard, uuid }: ShardedId, caller: string, key: string): Promise<Dispute | undefined> {
    return (await this.select('shard = $1 AND subject = $2 AND caller = $3 AND idempotency_key = $4', [shard, uuid, caller, key]))[0];
  }

  async ofChain({ shard, uuid }: ShardedId, { iss, rootJti }: Chain): Promise<Dispute[]> {
    return await this.select('shard = $1 AND subject = $2 AND iss = $3 AND root_jti = $4', [shard, uuid, iss, rootJti]);
  }

  async policy(shard: Shard): Promise<DisputePolicy> {
    const [row] = await this.tx.query<{ policy: DisputePolicy }>(
      'SELECT p.policy FROM shard_heads h JOIN dispute_policies p ON p.policy_version = h.policy_version WHERE h.shard = $1',
      [shard],
    );
    return row?.policy ?? BUILT_IN_DISPUTES;
  }

  async save(dispute: Dispute): Promise<void> {
    await this.tx.query(
      `INSERT INTO disputes (${DISPUTE_COLUMNS}, next_ring_at) VALUES (${PLACES.join(', ')}, ${NEXT_RING})
       ON CONFLICT ON CONSTRAINT disputes_pkey DO UPDATE
         SET due_soon_at = excluded.due_soon_at, due_at = excluded.due_at, added_digest = excluded.added_digest, added_at = excluded.added_at,
             state = excluded.state, answer = excluded.answer, answered_at = excluded.answered_at, outcome = excluded.outcome,
             closed_at = excluded.closed_at, closed_seq = excluded.closed_seq, result_by = excluded.result_by, rung = excluded.rung,
             next_ring_at = excluded.next_ring_at`,
      disputeValues(dispute),
    );
  }

  async keepAnswer({ subject, id, answeredAt }: Dispute, evidence: AnswerEvidence): Promise<void> {
    const { participant, certificate, keyid, signatureBase, signature, body } = evidence;
    await this.tx.query(
      `INSERT INTO dispute_answers (shard, dispute, participant_id, at, certificate, keyid, signature_base, signature, body)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        ...[subject.shard, id, participant, answeredAt, certificate ?? null, keyid ?? null, signatureBase ?? null],
        ...[signature ?? null, Buffer.from(body)],
      ],
    );
  }

  async recipients({ shard, uuid }: ShardedId, { iss, rootJti }: Chain, sinceSeq: bigint): Promise<string[]> {
    const rows = await this.tx.query<{ ref: string }>(
      `SELECT unnest(r.told) AS ref FROM restrictions r WHERE r.shard = $1 AND r.subject = $2 AND r.cause_iss = $3 AND r.cause_jti = $4
        UNION
       SELECT c.link FROM consent_uses u JOIN consents c ON c.shard = u.shard AND c.id = u.consent
        WHERE u.shard = $1 AND u.subject = $2 AND u.fact_seq > $5`,
      [shard, uuid, iss, rootJti, sinceSeq],
    );
    return rows.map(({ ref }) => ref);
  }

  async keepNotices({ shard }: ShardedId, dispute: string, events: readonly StoredEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.tx.query(
      `INSERT INTO dispute_notices (shard, dispute, event, fact_seq, participant_shard, participant_id)
       SELECT $1, $2, i.* FROM unnest($3::uuid[], $4::bigint[], $5::smallint[], $6::text[]) AS i`,
      [
        ...[shard, dispute, events.map(({ id }) => id), events.map(({ origin }) => origin.seq)],
        ...[events.map(({ participant }) => shardOf(participant)), events.map(({ participant }) => participant)],
      ],
    );
  }

  async isHeard({ shard }: ShardedId, dispute: string): Promise<boolean> {
    const unheard = await this.tx.query(
      `SELECT FROM dispute_notices n JOIN events e ON e.shard = n.participant_shard AND e.participant_id = n.participant_id AND e.id = n.event
        WHERE n.shard = $1 AND n.dispute = $2 AND e.acked_at IS NULL LIMIT 1`,
      [shard, dispute],
    );
    return unheard.length === 0;
  }

  private async select(where: string, params: readonly unknown[]): Promise<Dispute[]> {
    const rows = await this.tx.query<DisputeRow>(`SELECT ${DISPUTE_COLUMNS} FROM disputes WHERE ${where} ORDER BY opened_at, id`, params);
    return rows.map(readDispute);
  }
}
