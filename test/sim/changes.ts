import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseId } from '#kernel';
import { appendFacts, type Database } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import type { Dice } from './dice.js';
import { simPolicy, STOPPED_SERVICE } from './sim-policy.js';

/** A change that was acknowledged: no decision asked for afterwards may be made on what was before. */
export type Change = PolicyChange | StandingChange;

interface PolicyChange {
  readonly kind: 'policy';
  readonly version: bigint;
  readonly acknowledgedMs: number;
}

interface StandingChange {
  readonly kind: 'standing';
  /** UUID. */
  readonly subject: string;
  readonly version: bigint;
  readonly stopped: boolean;
  readonly acknowledgedMs: number;
}

interface Changing {
  readonly database: Database;
  readonly subjects: readonly string[];
  readonly changes: Change[];
  readonly dice: Dice;
}

const pauseMs = 60;
const patienceMs = 60_000;

/** Until `over` says so: activates one policy after the other, and stops a service for a subject and lifts that again. */
export async function changeUnderLoad(changing: Changing, over: () => boolean): Promise<void> {
  const { database, dice } = changing;
  let version = Number(await lastVersion(database));
  const stops = new Map<string, string>();
  while (!over()) {
    if (dice.chance(0.5)) await activate(changing, ++version);
    else await toggleStop(changing, stops, parseId('sub', dice.pick(changing.subjects)));
    await delay(dice.int(0, pauseMs));
  }
  for (const subject of changing.subjects)
    if (stops.has(parseId('sub', subject).uuid)) await toggleStop(changing, stops, parseId('sub', subject));
}

/** Makes a policy decide whose version is above all others and odd: the wide one. */
export async function activateWidePolicy(changing: Pick<Changing, 'database' | 'changes'>): Promise<void> {
  const version = Number(await lastVersion(changing.database)) + 1;
  await activate(changing, version % 2 === 1 ? version : version + 1);
}

async function lastVersion(database: Database): Promise<bigint> {
  const [row] = await database.query<{ version: bigint }>('SELECT coalesce(max(version), 0) AS version FROM policies');
  return row!.version;
}

async function activate({ database, changes }: Pick<Changing, 'database' | 'changes'>, version: number): Promise<void> {
  await persist(() => new PgPolicies(database).activate(simPolicy(undefined, version), { author: 'ann', approver: 'ben' }, new Date()));
  changes.push({ kind: 'policy', version: BigInt(version), acknowledgedMs: performance.now() });
}

async function toggleStop({ database, changes }: Changing, stops: Map<string, string>, subject: ReturnType<typeof parseId>): Promise<void> {
  const standing = stops.get(subject.uuid);
  const id = standing ?? randomUUID();
  const version = await persist(() => (standing === undefined ? impose(database, subject, id) : lift(database, subject, id)));
  if (standing === undefined) stops.set(subject.uuid, id);
  else stops.delete(subject.uuid);
  const stopped = standing === undefined;
  changes.push({ kind: 'standing', subject: subject.uuid, version, stopped, acknowledgedMs: performance.now() });
}

type Subject = ReturnType<typeof parseId>;

/** As whoever changes a standing does it: under the head row, with a fact. Done before, it is not done again. */
async function impose(database: Database, subject: Subject, id: string): Promise<bigint> {
  return await change(
    database,
    subject,
    'restriction.imposed',
    `INSERT INTO restrictions (shard, subject, id, step, services, reason_code, reason_text, evidence_digest, evidence_reference, ladder, told, starts_at)
     VALUES ($1, $2, $3, 'SERVICE_STOP', '{${STOPPED_SERVICE}}', 'SIM', 'stopped', '', '', '', '{}', now() - interval '1 day')
     ON CONFLICT DO NOTHING RETURNING id`,
    id,
  );
}

async function lift(database: Database, subject: Subject, id: string): Promise<bigint> {
  return await change(
    database,
    subject,
    'restriction.lifted',
    `UPDATE restrictions SET lifted_at = now(), lifted_why = 'STAFF' WHERE shard = $1 AND subject = $2 AND id = $3 AND lifted_at IS NULL RETURNING id`,
    id,
  );
}

async function change(database: Database, { shard, uuid }: Subject, kind: string, sql: string, id: string): Promise<bigint> {
  return await database.transaction(async (tx) => {
    await tx.query('SELECT FROM standings WHERE shard = $1 AND subject = $2 FOR UPDATE', [shard, uuid]);
    const done = await tx.query(sql, [shard, uuid, id]);
    if (done.length > 0) await appendFacts(tx, [{ shard, kind, subject: uuid, body: { restriction: id } }]);
    const [row] = await tx.query<{ version: bigint }>(
      'UPDATE standings SET version = version + $3 WHERE shard = $1 AND subject = $2 RETURNING version',
      [shard, uuid, done.length],
    );
    return row!.version;
  });
}

/** PostgreSQL may be away for a while. */
async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(pauseMs);
    }
  }
}
