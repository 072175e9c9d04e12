import { type Shard, type ShardedId, SHARDS } from '#kernel';
import type { SqlRunner } from '#platform';
import type { ConsentHappened } from '../change-consent.js';
import type { Consent } from '../consent.js';
import type { ConsentPage, ConsentReader, KeptUse, KeptVersion } from '../consent-store.js';
import { type ConsentRow, readConsent, readUse, type UseRow } from './consent-rows.js';

interface VersionRow {
  version: number;
  happened: ConsentHappened;
  at: Date;
  via: string;
  content: Record<string, unknown>;
  salt: string;
  fact_seq: bigint;
}

const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const LAST_FACT = 9_223_372_036_854_775_807n;
const LIVE = `state IN ('REQUESTED', 'ACTIVE', 'PAUSED')`;

/** Lists of consents and their uses. What spans shards reads a page from each, through an index that has its order. */
export class PgConsentReader implements ConsentReader {
  constructor(private readonly sql: SqlRunner) {}

  async find({ shard, uuid }: ShardedId): Promise<Consent | undefined> {
    const [row] = await this.sql.query<ConsentRow>('SELECT * FROM consents WHERE shard = $1 AND id = $2', [shard, uuid]);
    return row && readConsent(row);
  }

  async versions({ shard, uuid }: ShardedId, { after, countMax }: ConsentPage<number>): Promise<KeptVersion[]> {
    const rows = await this.sql.query<VersionRow>(
      `SELECT version, happened, at, via, content, salt, fact_seq FROM consent_versions
        WHERE shard = $1 AND consent = $2 AND version > $3::bigint ORDER BY version LIMIT $4`,
      [shard, uuid, after ?? 0, countMax],
    );
    return rows.map(({ fact_seq: seq, at, ...row }) => ({ ...row, position: { shard, seq, at } }));
  }

  async ofParticipant(participant: string, link: ShardedId | undefined, { after, countMax }: ConsentPage<string>): Promise<Consent[]> {
    const shards: readonly Shard[] = link ? [link.shard] : SHARDS;
    const rows = await this.sql.query<ConsentRow>(
      `SELECT c.* FROM unnest($1::smallint[]) AS s (shard)
         CROSS JOIN LATERAL (SELECT * FROM consents c
                              WHERE c.shard = s.shard AND c.participant_id = $2 AND c.id < $3 AND ($5::uuid IS NULL OR c.link = $5)
                              ORDER BY c.id DESC LIMIT $4) c
        ORDER BY c.id DESC LIMIT $4`,
      [shards, participant, after ?? LAST_UUID, countMax, link?.uuid ?? null],
    );
    return rows.map(readConsent);
  }

  async ofSubject(subject: ShardedId, { after, countMax }: ConsentPage<string>): Promise<Consent[] | undefined> {
    const rows = await this.sql.query<ConsentRow>(
      `SELECT * FROM consents WHERE shard = $1 AND subject = $2 AND id < $3 ORDER BY id DESC LIMIT $4`,
      [subject.shard, subject.uuid, after ?? LAST_UUID, countMax],
    );
    return rows.length > 0 || (await this.isRegistered(subject)) ? rows.map(readConsent) : undefined;
  }

  async usesOf({ shard, uuid }: ShardedId, { after, countMax }: ConsentPage<number>): Promise<KeptUse[]> {
    const rows = await this.sql.query<UseRow>(
      `SELECT * FROM consent_uses WHERE shard = $1 AND consent = $2 AND n > $3::bigint ORDER BY n LIMIT $4`,
      [shard, uuid, after ?? 0, countMax],
    );
    return rows.map(readUse);
  }

  async usesOfSubject(subject: ShardedId, { after, countMax }: ConsentPage<bigint>): Promise<KeptUse[] | undefined> {
    const rows = await this.sql.query<UseRow>(
      `SELECT * FROM consent_uses WHERE shard = $1 AND subject = $2 AND fact_seq < $3 ORDER BY fact_seq DESC LIMIT $4`,
      [subject.shard, subject.uuid, after ?? LAST_FACT, countMax],
    );
    return rows.length > 0 || (await this.isRegistered(subject)) ? rows.map(readUse) : undefined;
  }

  async overdue(countMax: number): Promise<ShardedId[]> {
    const rows = await this.sql.query<{ shard: Shard; id: string }>(
      `SELECT c.shard, c.id FROM unnest($1::smallint[]) AS s (shard)
         CROSS JOIN LATERAL (SELECT shard, id, expires_at FROM consents
                              WHERE shard = s.shard AND ${LIVE} AND expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $2) c
        ORDER BY c.expires_at LIMIT $2`,
      [SHARDS, countMax],
    );
    return rows.map(({ shard, id }) => ({ shard, uuid: id }));
  }

  async orphaned(countMax: number): Promise<ShardedId[]> {
    const rows = await this.sql.query<{ shard: Shard; id: string }>(
      `SELECT c.shard, c.id FROM unnest($1::smallint[]) AS s (shard)
         CROSS JOIN LATERAL (SELECT l.shard, l.ref FROM links l WHERE l.shard = s.shard AND l.ended_at > clock_timestamp() - interval '1 hour') l
         JOIN consents c ON c.shard = l.shard AND c.link = l.ref AND c.${LIVE}
        ORDER BY c.shard, c.id LIMIT $2`,
      [SHARDS, countMax],
    );
    return rows.map(({ shard, id }) => ({ shard, uuid: id }));
  }

  private async isRegistered({ shard, uuid }: ShardedId): Promise<boolean> {
    return (await this.sql.query('SELECT FROM subjects WHERE shard = $1 AND subject = $2', [shard, uuid])).length > 0;
  }
}
