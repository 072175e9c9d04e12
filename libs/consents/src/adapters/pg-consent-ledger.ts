import { formatId, invariant, type Shard, type ShardedId, shardOf } from '#kernel';
import type { Tx } from '#platform';
import type { ConsentKeyClaim, ConsentLedger, ConsentVersion, HeldConsent, HeldConsents } from '../consent-store.js';
import { type ConsentRow, readConsent, versionRow } from './consent-rows.js';

interface HeldRow extends ConsentRow {
  day: string;
  day_calls: number;
  month: string;
  month_calls: number;
  held_at: Date;
}

/**
 * Owns `consents`, `consent_versions`, `consent_budgets`, `consent_uses` and `consent_requests`; its statements stand in the migration `consents`.
 * Uses and their counts are saved with what was disclosed under them (`DisclosureBook`).
 */
export class PgConsentLedger implements ConsentLedger {
  constructor(private readonly tx: Tx) {}

  async hold(ids: readonly ShardedId[]): Promise<HeldConsents> {
    const place = [ids.map(({ shard }) => shard), ids.map(({ uuid }) => uuid)];
    const rows = await this.tx.query<HeldRow>('SELECT * FROM hold_consents($1, $2)', place, 'hold_consents');
    const held = new Map(rows.map((row) => [formatId('cns', { shard: row.shard, uuid: row.id }), readHeld(row)]));
    // Where there is none there is nothing that a time could matter to.
    const at = new Date(Math.max(0, ...rows.map((row) => row.held_at.getTime())));
    return { at, consents: ids.map((id) => held.get(formatId('cns', id))) };
  }

  async saveVersions(versions: readonly ConsentVersion[]): Promise<void> {
    if (versions.length === 0) return;
    const values = [JSON.stringify(versions.map(versionRow))];
    await this.tx.query('SELECT FROM save_consent_versions($1::jsonb)', values, 'save_consent_versions');
  }

  async claimKey({ participant, key, digest, consent }: ConsentKeyClaim): Promise<ConsentKeyClaim | undefined> {
    const shard = shardOf(participant);
    const [taken] = await this.tx.query(
      `INSERT INTO consent_requests (shard, participant_id, idempotency_key, digest, consent_shard, consent)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING shard`,
      [shard, participant, key, digest, consent.shard, consent.uuid],
    );
    if (taken) return undefined;
    const [first] = await this.tx.query<{ digest: string; consent_shard: Shard; consent: string }>(
      `SELECT digest, consent_shard, consent FROM consent_requests WHERE shard = $1 AND participant_id = $2 AND idempotency_key = $3`,
      [shard, participant, key],
    );
    invariant(first, 'a key that is taken has its request');
    return { participant, key, digest: first.digest, consent: { shard: first.consent_shard, uuid: first.consent } };
  }

  async liveOfLink({ shard, uuid }: ShardedId): Promise<ShardedId[]> {
    const rows = await this.tx.query<{ id: string }>(
      `SELECT id FROM consents WHERE shard = $1 AND link = $2 AND state IN ('REQUESTED', 'ACTIVE', 'PAUSED') ORDER BY id`,
      [shard, uuid],
    );
    return rows.map(({ id }) => ({ shard, uuid: id }));
  }
}

function readHeld(row: HeldRow): HeldConsent {
  const budget = { day: row.day, dayCalls: row.day_calls, month: row.month, monthCalls: row.month_calls };
  return { consent: readConsent(row), budget };
}
