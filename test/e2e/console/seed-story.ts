import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { DecisionDetails } from '#decisions';
import { type Fact, formatId, parseId, type Shard, shardOf, type ShardedId, uuidV7 } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';

/** What the tests look for afterwards, by the ids that a person would paste. */
export interface Story {
  readonly subject: string;
  readonly ratingJti: string;
  readonly violationJti: string;
  readonly allowed: string;
  readonly denied: string;
  readonly reservation: string;
  readonly paymentReference: string;
  readonly reconciliation: string;
  readonly link: string;
}

const DAY_MS = 86_400_000;
const BANK = 'alfa-bank';
const OTHER_BANK = 'beta-bank';

const newId = (at: Date): string => uuidV7(at.getTime(), randomBytes(10));
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Subject and bank on one shard: what is found both ways must still be shown once. */
function subjectOnShardOf(participant: string, at: Date): ShardedId {
  for (;;) {
    const uuid = newId(at);
    if (shardOf(uuid) === shardOf(participant)) return { shard: shardOf(uuid), uuid };
  }
}

/** One subject's story as rows, as the rooms would have left them: rating, score, payment, violation, refusal, statement with one break. */
export async function seedStory(database: Database, now: Date): Promise<Story> {
  const at = (minutesAgo: number) => new Date(now.getTime() - minutesAgo * 60_000);
  const subject = subjectOnShardOf(BANK, at(55));
  await database.transaction((tx) => seedBanks(tx, now));
  const ref = await database.transaction((tx) => seedSubject(tx, subject, at(55)));
  const rating = await database.transaction((tx) =>
    seedRecord(tx, subject, ref, { kind: 'rating', seq: 1, at: at(50), body: RATING, score: 712 }),
  );
  const paid = await database.transaction((tx) =>
    seedDecision(tx, subject, { outcome: 'ALLOW', version: 2n, score: 712, reference: 'ORDER-2026-0001', at: at(40) }),
  );
  await database.transaction((tx) => confirm(tx, subject, paid, at(39)));
  const violation = await database.transaction((tx) =>
    seedRecord(tx, subject, ref, { kind: 'violation', seq: 2, at: at(20), body: VIOLATION, score: 541, restricts: true }),
  );
  const denied = await database.transaction((tx) => seedDecision(tx, subject, { outcome: 'DENY', version: 3n, score: 541, at: at(10) }));
  const reconciliation = await database.transaction((tx) =>
    seedStatement(tx, { subject, payment: paid, reference: 'ORDER-2026-0001', at: now }),
  );
  return {
    subject: formatId('sub', subject),
    ratingJti: rating,
    violationJti: violation,
    allowed: formatId('dec', { shard: subject.shard, uuid: paid }),
    denied: formatId('dec', { shard: subject.shard, uuid: denied }),
    reservation: formatId('rsv', { shard: subject.shard, uuid: paid }),
    paymentReference: 'ORDER-2026-0001',
    reconciliation: formatId('rec', reconciliation),
    link: formatId('lnk', { shard: subject.shard, uuid: ref }),
  };
}

/**
 * Many small decisions of other subjects, so that lists have pages and bars have heights. They keep off the story's shards:
 * within a shard time never runs backwards.
 */
export async function seedTraffic(database: Database, story: Story, now: Date, countTotal: number): Promise<void> {
  const outcomes = ['ALLOW', 'ALLOW', 'ALLOW', 'ALLOW', 'ALLOW', 'REVIEW', 'ALLOW', 'DENY'] as const;
  for (let i = 0; i < countTotal; i++) {
    const at = new Date(now.getTime() - ((countTotal - i) * 50 * 60_000) / countTotal);
    const subject = subjectOff([parseId('sub', story.subject).shard, shardOf(BANK)], at);
    await database.transaction((tx) =>
      seedDecision(tx, subject, {
        outcome: outcomes[(i * 7 + (i >> 3)) % 8]!,
        version: 1n,
        score: 560 + (i % 9) * 30,
        at,
        minor: 1_990n * BigInt(1 + (i % 17)),
      }),
    );
  }
}

function subjectOff(taken: readonly Shard[], at: Date): ShardedId {
  const uuid = newId(at);
  return taken.includes(shardOf(uuid)) ? subjectOff(taken, at) : { shard: shardOf(uuid), uuid };
}

const RATING = {
  score: 742,
  scale: { min: 300, max: 900 },
  band: 'A',
  factors: [{ code: 'LONG_HISTORY', text: 'long, clean history' }],
  model: { id: 'retail-model', version: '2026.1' },
};
const VIOLATION = { code: 'FRAUD_CONFIRMED', severity: 'SEVERE', evidenceDigest: 'ab'.repeat(32), occurredAt: '2026-11-20T09:30:00.000Z' };

async function seedBanks(tx: Tx, now: Date): Promise<void> {
  const banks = [
    [BANK, 'Alfa Bank', 'ACTIVE', null],
    [OTHER_BANK, 'Beta Savings', 'SUSPENDED', 'statement overdue since Monday'],
  ];
  for (const [id, name, state, reason] of banks) {
    await tx.query(
      'INSERT INTO participants (id, name, state, state_reason, version, created_at, changed_at) VALUES ($1, $2, $3, $4, 1, $5, $5)',
      [id, name, state, reason, now],
    );
    await tx.query(
      'INSERT INTO participant_keys (participant_id, kid, alg, jwk, state, added_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $6)',
      [id, `${id}-2026-11`, 'ES256', '{}', 'ACTIVE', now],
    );
  }
  const certificates: [string, number, string | null][] = [
    [BANK, 400, null],
    [BANK, 12, null],
    [OTHER_BANK, -3, null],
    [OTHER_BANK, 90, 'keyCompromise'],
  ];
  for (const [bank, days, revoked] of certificates) {
    await tx.query(
      `INSERT INTO participant_certificates (x5t, participant_id, issuer, serial, not_before, not_after, revoked_at, revoked_reason)
       VALUES ($1, $2, 'issuer', $3, $4, $5, $6, $7)`,
      [
        digest(`${bank}${days}`).toString('base64url'),
        bank,
        randomBytes(8).toString('hex'),
        new Date(now.getTime() - 100 * DAY_MS),
        new Date(now.getTime() + days * DAY_MS),
        revoked && now,
        revoked,
      ],
    );
  }
}

async function seedSubject(tx: Tx, { shard, uuid }: ShardedId, at: Date): Promise<string> {
  const ref = randomUUID();
  await tx.query(`INSERT INTO subjects (shard, subject, kind, created_at) VALUES ($1, $2, 'INDIVIDUAL', $3)`, [shard, uuid, at]);
  await tx.query(`INSERT INTO links (shard, ref, subject, participant_id, state, created_at) VALUES ($1, $2, $3, $4, 'ACTIVE', $5)`, [
    shard,
    ref,
    uuid,
    BANK,
    at,
  ]);
  await tx.query(
    `INSERT INTO standings (shard, subject, kind, version, score, scorecard, factors, updated_at) VALUES ($1, $2, 'INDIVIDUAL', 1, 600, '2026.1', '[]', $3)`,
    [shard, uuid, at],
  );
  await appendFacts(tx, [
    { shard, kind: 'subject.registered', subject: uuid, body: {} },
    { shard, kind: 'link.created', subject: uuid, participant: BANK, body: { link: formatId('lnk', { shard, uuid: ref }) } },
  ]);
  return ref;
}

interface RecordSeed {
  readonly kind: 'rating' | 'violation';
  readonly seq: number;
  readonly at: Date;
  readonly body: object;
  readonly score: number;
  readonly restricts?: boolean;
}

async function seedRecord(
  tx: Tx,
  { shard, uuid }: ShardedId,
  ref: string,
  { kind, seq, at, body, score, restricts }: RecordSeed,
): Promise<string> {
  const jti = newId(at);
  const version = BigInt(seq + 1);
  const restriction = randomUUID();
  const facts: [Fact, ...Fact[]] = [
    { shard, kind: 'record.accepted', subject: uuid, participant: BANK, body: { record: kind, commitment: digest(jti).toString('hex') } },
    {
      shard,
      kind: 'standing.changed',
      subject: uuid,
      body: { version: `${version}`, scorecard: '2026.1', commitment: digest(`${version}`).toString('hex') },
    },
  ];
  if (restricts)
    facts.push({
      shard,
      kind: 'restriction.imposed',
      subject: uuid,
      body: { restriction: formatId('rst', { shard, uuid: restriction }), version: `${version}` },
    });
  const positions = await appendFacts(tx, facts);
  const payload = {
    iss: BANK,
    jti,
    seq,
    kind,
    asOf: at.toISOString(),
    validUntil: new Date(at.getTime() + 90 * DAY_MS).toISOString(),
    [kind]: body,
  };
  const jws = `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
  await tx.query(
    'INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [shardOf(BANK), BANK, jti, seq, digest(jws), shard, ref],
  );
  await tx.query(
    `INSERT INTO records (shard, ref, iss, jti, seq, subject, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $8, $11, '')`,
    [shard, ref, BANK, jti, seq, uuid, kind, at, digest(jws), Buffer.from(jws), positions[0]!.seq],
  );
  if (restricts) {
    await tx.query(
      `INSERT INTO restrictions (shard, subject, id, step, services, reason_code, reason_text, cause_iss, cause_jti, starts_at, ends_at,
         evidence_digest, evidence_reference, ladder, told)
       VALUES ($1, $2, $3, 'SERVICE_STOP', '{pay-later,checkout}', 'FRAUD_CONFIRMED', 'confirmed fraud', $4, $5, $6, $7, '', '', 'built-in', '{}')`,
      [shard, uuid, restriction, BANK, jti, at, new Date(at.getTime() + 180 * DAY_MS)],
    );
  }
  const content = {
    version: `${version}`,
    kind: 'INDIVIDUAL',
    score,
    scorecard: { version: '2026.1', hash: 'h' },
    factors: [{ code: 'SHORT_HISTORY', text: 'the history with us is short' }],
    restrictions: restricts ? [{ id: restriction, step: 'SERVICE_STOP', services: ['pay-later', 'checkout'] }] : [],
  };
  await tx.query(
    `INSERT INTO standing_versions (shard, subject, version, at, content, salt, cause_iss, cause_jti, fact_seq) VALUES ($1, $2, $3, $4, $5, 's', $6, $7, $8)`,
    [shard, uuid, version, at, content, BANK, jti, positions[1]!.seq],
  );
  await tx.query('UPDATE standings SET version = $3, score = $4, updated_at = $5 WHERE shard = $1 AND subject = $2', [
    shard,
    uuid,
    version,
    score,
    at,
  ]);
  return jti;
}

interface DecisionSeed {
  readonly outcome: 'ALLOW' | 'REVIEW' | 'DENY';
  readonly version: bigint;
  readonly score: number;
  readonly at: Date;
  readonly reference?: string;
  readonly minor?: bigint;
}

const REASONS = {
  ALLOW: [{ code: 'within.limits', text: 'the amount is within every limit', source: 'policy' }],
  REVIEW: [{ code: 'amount.unusual', text: 'the amount is unusual for this subject', source: 'policy' }],
  DENY: [{ code: 'service.stopped', text: 'this service is stopped for the subject', source: 'restriction' }],
} as const;

function detailsOf({ outcome, score, reference, minor = 19_900n }: DecisionSeed): DecisionDetails {
  return {
    amount: minor.toString(),
    caps: [
      {
        amount: '500000',
        counter: 'day',
        limit: 'daily',
        resetAt: '2026-11-22T00:00:00.000Z',
        start: '2026-11-21T00:00:00.000Z',
        window: 'DAY',
      },
    ],
    ...(reference ? { channel: BANK, paymentReference: reference } : {}),
    computed: outcome,
    currency: 'CNY',
    ...(outcome === 'ALLOW' ? { discount: { minor: '398', rate: '0.02', rule: 'trusted-2-percent' } } : {}),
    enforced: true,
    factors: [],
    ...(reference ? { holdSeconds: 900 } : {}),
    mode: reference ? 'RESERVE' : 'EVALUATE',
    outcome,
    policy: { hash: 'ab'.repeat(32), id: 'standard', version: '1' },
    reasons: REASONS[outcome],
    restrictions: [],
    score: { value: score, version: '2026.1' },
    service: 'checkout',
    tier: score >= 700 ? 'EXCELLENT' : score >= 550 ? 'BASIC' : 'LIMITED',
    transactionLimits: [{ amount: '200000', limit: 'per-transaction' }],
  };
}

async function seedDecision(tx: Tx, { shard, uuid }: ShardedId, seed: DecisionSeed): Promise<string> {
  const decision = newId(seed.at);
  const expires = seed.reference ? new Date(seed.at.getTime() + 900_000) : null;
  const [head] = await tx.query<{ last_seq: bigint }>(
    'UPDATE shard_heads SET last_seq = last_seq + 1 WHERE shard = $1 RETURNING last_seq',
    [shard],
  );
  await tx.query(
    `INSERT INTO decisions (shard, seq, at, decision, subject, caller, digest, service, outcome, computed, policy_version, standing_version, expires_at, details, usage, salt)
     VALUES ($1, $2, $3, $4, $5, 'checkout', $6, 'checkout', $7, $7, 1, $8, $9, $10, '19900:0:1:0', $11)`,
    [
      shard,
      head!.last_seq,
      seed.at,
      decision,
      uuid,
      digest(decision),
      seed.outcome,
      seed.version,
      expires,
      JSON.stringify(detailsOf(seed)),
      randomUUID(),
    ],
  );
  if (seed.reference) {
    await tx.query(
      `INSERT INTO reservations (shard, reservation, subject, caller, service, state, currency, amount_minor, payment_reference, channel, counters, expires_at)
       VALUES ($1, $2, $3, 'checkout', 'checkout', 'RESERVED', 'CNY', 19900, $4, $5, '{}', $6)`,
      [shard, decision, uuid, seed.reference, BANK, expires],
    );
  }
  return decision;
}

async function confirm(tx: Tx, { shard, uuid }: ShardedId, reservation: string, at: Date): Promise<void> {
  await tx.query(
    `UPDATE reservations SET state = 'CONFIRMED', confirmed_minor = amount_minor, confirmed_at = $3 WHERE shard = $1 AND reservation = $2`,
    [shard, reservation, at],
  );
  await appendFacts(tx, [{ shard, kind: 'reservation.confirmed', subject: uuid, body: { reservation, movedMinor: '19900' } }]);
}

interface StatementSeed {
  readonly subject: ShardedId;
  readonly payment: string;
  readonly reference: string;
  readonly at: Date;
}

async function seedStatement(tx: Tx, { subject, payment, reference, at }: StatementSeed): Promise<ShardedId> {
  const shard: Shard = shardOf(BANK);
  const id = newId(at);
  await tx.query(
    `INSERT INTO reconciliations (shard, id, participant, digest, size_bytes, received_at, closed_at, state, statements, entries, lines_total, lines_read, lines_matched, counts)
     VALUES ($1, $2, $3, $4, 5000, $5, $5, 'BROKEN', '[]', 2, 2, 2, 1, '{"MATCHED":1,"MISSING_OURS":1}')`,
    [shard, id, BANK, digest(id), at],
  );
  for (const [n, ref] of [
    [1, reference],
    [2, 'UNKNOWN-77'],
  ] as const) {
    await tx.query(
      `INSERT INTO statement_lines (shard, reconciliation, n, match_key, statement_n, file_line, minor, currency, direction, reversal, booked_day, end_to_end_id)
       VALUES ($1, $2, $3, $4, 1, $5, 19900, 'CNY', 'CRDT', false, '2026-11-21', $6)`,
      [shard, id, n, n === 1 ? `=${ref}` : '#2', 10 + 20 * n, ref],
    );
  }
  await tx.query(
    `INSERT INTO reconciliation_outcomes (shard, reconciliation, n, kind, reason, identified_by, line, payment, payment_shard, payment_decision, payment_reference, payment_minor, payment_currency, payment_confirmed_at)
     VALUES ($1, $2, 1, 'MATCHED', 'same reference, amount, currency and direction; booked 0 days after it was confirmed', 'end_to_end_id', 1, $3, $4, $3, $5, 19900, 'CNY', $6)`,
    [shard, id, payment, subject.shard, reference, at],
  );
  await tx.query(
    `INSERT INTO reconciliation_outcomes (shard, reconciliation, n, kind, reason, line)
     VALUES ($1, $2, 2, 'MISSING_OURS', 'no confirmed payment whose decision names this bank as its channel bears any of its references', 2)`,
    [shard, id],
  );
  const body = { reconciliation: id, digest: digest(id).toString('hex') };
  await appendFacts(tx, [
    { shard, kind: 'statement.received', participant: BANK, body },
    { shard, kind: 'reconciliation.broken', participant: BANK, body },
  ]);
  return { shard, uuid: id };
}
