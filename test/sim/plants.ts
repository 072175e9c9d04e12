/** One thing changed behind the ledger's back, and the words in which the checks must say so. */
export type Plant = readonly [what: string, sql: string, breach: RegExp];

const ONE_ALLOWED = `decision = (SELECT min(decision::text)::uuid FROM decisions WHERE outcome = 'ALLOW')`;
/** For want of room, not by a stop. */
const ONE_DENIED = `decision = (SELECT min(decision::text)::uuid FROM decisions WHERE outcome = 'DENY' AND usage ~ ':1(,|$)' AND details NOT LIKE '%SERVICE_STOP%')`;
const oneStep = (kind: string) =>
  `(shard, reservation, kind, key) = (SELECT shard, reservation, kind, key FROM settlements WHERE kind = '${kind}' ORDER BY reservation, key LIMIT 1)`;

/** What the fact of a settlement commits to (libs/decisions/src/adapters/pg-reservations.ts). */
const commitment = (step: string) =>
  `encode(sha256(uuid_send(${step}.salt) || convert_to(format('{"amountMinor":"%s","currency":"CNY","kind":"%s","reservation":"%s"}', ${step}.amount_minor, ${step}.kind, ${step}.reservation), 'UTF8')), 'hex')`;

/** Changes a settlement and the fact that commits to it, so that only what it says is wrong. */
const forged = (kind: string) =>
  `WITH before AS (SELECT *, ${commitment('s')} AS commitment FROM settlements s WHERE ${oneStep(kind)}),
        after AS (UPDATE settlements s SET amount_minor = s.amount_minor + 100000000 FROM before b
                   WHERE s.shard = b.shard AND s.reservation = b.reservation AND s.kind = b.kind AND s.key = b.key RETURNING s.*)
   UPDATE facts f SET body = replace(f.body, b.commitment, ${commitment('a')}) FROM before b, after a
    WHERE f.shard = b.shard AND f.body LIKE '%' || b.commitment || '%' RETURNING f.seq`;

export const PLANTS: readonly Plant[] = [
  [
    'a counter that forgot a cent',
    `UPDATE usage SET used_minor = used_minor + 1 WHERE ctid = (SELECT min(ctid) FROM usage) RETURNING 1`,
    /^usage of .* is used/,
  ],
  ['a lost number', `UPDATE shard_heads SET last_seq = last_seq + 1 WHERE last_seq > 0 RETURNING 1`, /have a gap/],
  [
    'time that runs backwards',
    `UPDATE decisions SET at = at - interval '1 hour' WHERE (shard, seq) = (SELECT shard, max(seq) FROM decisions GROUP BY shard LIMIT 1) RETURNING 1`,
    /^the time of shard \d+ ran backwards$/,
  ],
  [
    'a lost reservation',
    `DELETE FROM reservations WHERE reservation = (SELECT min(reservation::text)::uuid FROM reservations WHERE state = 'RESERVED') RETURNING 1`,
    /^reservation .* is gone$/,
  ],
  ['a lost decision', `DELETE FROM decisions WHERE ${ONE_ALLOWED} RETURNING 1`, /^decision .* was acknowledged and is gone$/],
  ['a reservation that nobody decided', `DELETE FROM decisions WHERE ${ONE_ALLOWED} RETURNING 1`, /^reservation .* has no decision$/],
  [
    'a settlement that nobody decided',
    `DELETE FROM decisions d USING settlements s WHERE d.decision = s.reservation RETURNING 1`,
    /^the confirm of .* has no reservation before it$/,
  ],
  [
    'a release after its confirm',
    `WITH taken AS (SELECT * FROM settlements WHERE kind = 'confirm' ORDER BY reservation LIMIT 1)
     UPDATE reservations r SET state = 'RELEASED', confirmed_minor = 0, refunded_minor = 0 FROM taken t WHERE r.reservation = t.reservation RETURNING 1`,
    /is RELEASED .*not CONFIRMED/,
  ],
  [
    'a second effect of a settled reservation',
    `INSERT INTO settlements SELECT shard, reservation, 'release', key, at, amount_minor, salt, seq + 1000000 FROM settlements WHERE ${oneStep('confirm')} RETURNING 1`,
    /^no fact commits to the release of /,
  ],
  [
    'a confirm of what ran out',
    `UPDATE settlements SET at = at + interval '1 day' WHERE ${oneStep('confirm')} RETURNING 1`,
    /ran out and took a confirm/,
  ],
  ['a confirm above the reserved', forged('confirm'), /^reservation .* was confirmed above its amount$/],
  ['a refund above the confirmed', forged('refund'), /^reservation .* gave back more than it took$/],
  [
    'a confirm that left no fact',
    `DELETE FROM facts WHERE (shard, seq) = (SELECT shard, seq FROM facts WHERE kind = 'reservation.confirmed' ORDER BY seq LIMIT 1) RETURNING 1`,
    /^no fact commits to the confirm of /,
  ],
  [
    'a confirm that only its fact remembers',
    `DELETE FROM settlements WHERE ${oneStep('confirm')} RETURNING 1`,
    /^no settlement belongs to fact /,
  ],
  [
    'an acknowledged confirm that had no effect',
    `DELETE FROM settlements WHERE ${oneStep('confirm')} RETURNING 1`,
    /^the confirm of .* was acknowledged and the reservation is RESERVED$/,
  ],
  [
    'an acknowledged refund that had no effect',
    `DELETE FROM settlements WHERE ${oneStep('refund')} RETURNING 1`,
    /^the refund .* was acknowledged and is there 0 times$/,
  ],
  [
    'one key with two decisions',
    `ALTER TABLE decisions DROP CONSTRAINT decisions_idempotency_key;
     CREATE TEMP TABLE again AS SELECT * FROM decisions WHERE ${ONE_ALLOWED};
     UPDATE again SET seq = 1000000, decision = gen_random_uuid();
     INSERT INTO decisions SELECT * FROM again RETURNING 1`,
    /^one key, 2 decisions: /,
  ],
  [
    'one key with two refunds',
    `ALTER TABLE settlements DROP CONSTRAINT settlements_pkey;
     WITH taken AS (SELECT * FROM settlements WHERE ${oneStep('refund')}),
          again AS (INSERT INTO settlements (shard, reservation, kind, key, at, amount_minor, salt, seq)
                    SELECT shard, reservation, kind, key, at, amount_minor, gen_random_uuid(), seq + 1000000 FROM taken RETURNING *)
     INSERT INTO facts (shard, seq, at, kind, subject, participant, body)
     SELECT a.shard, a.seq, a.at, 'reservation.refunded', NULL, NULL, format('{"commitment":"%s"}', ${commitment('a')}) FROM again a RETURNING 1`,
    /^one key, two refunds: /,
  ],
  ['a decline with room', `UPDATE decisions SET outcome = 'DENY' WHERE ${ONE_ALLOWED} RETURNING 1`, /declined while there was room/],
  [
    'an acknowledged reservation that was a decline',
    `UPDATE decisions SET outcome = 'DENY' WHERE ${ONE_ALLOWED} RETURNING 1`,
    /^reservation .* was acknowledged and is gone$/,
  ],
  [
    'an allowance without room',
    `UPDATE decisions SET outcome = 'ALLOW', expires_at = at + interval '1 hour' WHERE ${ONE_DENIED} RETURNING 1`,
    /^overspend: /,
  ],
  [
    'a hold that its caller was denied',
    `UPDATE decisions SET outcome = 'ALLOW', expires_at = at + interval '1 hour' WHERE ${ONE_DENIED} RETURNING 1`,
    /^decision .* holds what its caller was denied$/,
  ],
  [
    'an allowance that holds nothing',
    `UPDATE decisions SET expires_at = NULL WHERE ${ONE_ALLOWED} RETURNING 1`,
    /^decision .* holds nothing$/,
  ],
  ['a window chosen by another clock', `UPDATE decisions SET at = at + interval '1 day' RETURNING 1`, /counts in the day that starts/],
  [
    'a limit that was forgotten',
    `UPDATE decisions SET details = (details::jsonb #- '{caps,0}')::text WHERE ${ONE_ALLOWED} RETURNING 1`,
    /^decision .* was judged by the limits /,
  ],
  [
    'a rolling window that looks back too short',
    `UPDATE decisions SET details = regexp_replace(details, '"from":"[^"]*",("limit":"transfer-rolling")', '\\1') WHERE service = 'transfer' RETURNING 1`,
    /^decision .* counts transfer-rolling from /,
  ],
  ['a counter told wrongly', `UPDATE decisions SET usage = '1' || usage WHERE ${ONE_ALLOWED} RETURNING 1`, /^decision .* told the usage 1/],
  [
    'a policy that comes back by itself',
    `UPDATE decisions SET policy_version = 0 WHERE (shard, seq) = (SELECT shard, max(seq) FROM decisions GROUP BY shard LIMIT 1) RETURNING 1`,
    /^the policy on shard \d+ went back to version 0$/,
  ],
  [
    'a policy that was overtaken',
    `UPDATE decisions SET policy_version = policy_version - 1 RETURNING 1`,
    /^decision .* was made on policy \d+ after \d+ was acknowledged$/,
  ],
  [
    'a standing that was overtaken',
    `UPDATE decisions SET standing_version = 1 RETURNING 1`,
    /^decision .* was made on standing 1 after \d+ was acknowledged$/,
  ],
  [
    'a stopped service that went on',
    `WITH stopped AS (SELECT standing_version FROM decisions WHERE service = 'transfer' AND details LIKE '%SERVICE_STOP%' LIMIT 1)
     UPDATE decisions d SET outcome = 'ALLOW', expires_at = at + interval '1 hour' FROM stopped s
      WHERE d.standing_version = s.standing_version AND d.service = 'transfer' RETURNING 1`,
    /^decision .* was allowed while transfer is stopped$/,
  ],
];
