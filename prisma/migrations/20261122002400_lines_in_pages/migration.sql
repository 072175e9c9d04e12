-- Lines of a batch cost less: what became of a page of them is one row, and a receipt is signed when it is first asked for.

-- What became of the lines of one step. Lines that were refused, and the line of a step of one, stand in record_batch_lines as before.
CREATE TABLE record_batch_pages (
  shard      smallint NOT NULL,
  batch      uuid     NOT NULL,
  first_line bigint   NOT NULL,
  last_line  bigint   NOT NULL,
  -- One character a line from first_line on: A accepted, R repeated, "." what stands elsewhere or is blank.
  outcomes   text     NOT NULL,
  -- Of the accepted and repeated ones, in their order.
  jtis       uuid[]   NOT NULL,
  CONSTRAINT record_batch_pages_pkey PRIMARY KEY (shard, batch, last_line),
  CONSTRAINT record_batch_pages_whole CHECK (length(outcomes) = last_line - first_line + 1),
  CONSTRAINT record_batch_pages_of FOREIGN KEY (shard, batch) REFERENCES record_batches (shard, batch)
);
REVOKE UPDATE, DELETE, TRUNCATE ON record_batch_pages FROM tallystick_app;

-- A receipt says nothing that its record does not hold, but for the salt of its commitment. Without a receipt a record has its salt.
ALTER TABLE records ALTER COLUMN receipt DROP NOT NULL;
ALTER TABLE records ADD COLUMN salt bytea CONSTRAINT records_salt CHECK (octet_length(salt) = 16);
-- Where it stood in a sealed batch: what sealed_records says of the ones before.
ALTER TABLE records ADD COLUMN batch uuid;
ALTER TABLE records ADD COLUMN line_index bigint;

-- Receipts of records that were accepted without one, as they were first given. The first stays, whatever key signs later.
CREATE TABLE record_receipts (
  shard   smallint NOT NULL,
  ref     uuid     NOT NULL,
  jti     uuid     NOT NULL,
  receipt text     NOT NULL,
  CONSTRAINT record_receipts_pkey PRIMARY KEY (shard, ref, jti)
);
REVOKE UPDATE, DELETE, TRUNCATE ON record_receipts FROM tallystick_app;

-- `keep_records` for lines of a batch: each as received, and as it counts from now on; their subjects are due to be judged.
CREATE OR REPLACE FUNCTION keep_lines(
  p_at timestamptz, p_iss text, p_batch uuid, p_shards smallint[], p_subjects uuid[], p_refs uuid[], p_jtis uuid[], p_seqs bigint[], p_kinds text[],
  p_issued_at timestamptz[], p_payload_digests bytea[], p_jws bytea[], p_accepted_at timestamptz[], p_fact_seqs bigint[], p_salts bytea[],
  p_indexes bigint[], p_as_of timestamptz[], p_valid_until timestamptz[], p_bodies jsonb[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- The order of locks is everybody's: the heads are held by now, then come standings. One that is due is not made due again.
  UPDATE standings s SET next_change_at = p_at
    FROM (SELECT DISTINCT shard, subject FROM unnest(p_shards, p_subjects) AS i (shard, subject)) i
   WHERE s.shard = i.shard AND s.subject = i.subject AND (s.next_change_at IS NULL OR s.next_change_at > p_at);
  INSERT INTO records (shard, subject, ref, iss, jti, seq, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, salt, batch, line_index)
  SELECT i.shard, i.subject, i.ref, p_iss, i.jti, i.seq, i.kind, i.issued_at, i.payload_digest, i.jws, i.accepted_at, i.fact_seq, i.salt,
         p_batch, i.line_index
    FROM unnest(p_shards, p_subjects, p_refs, p_jtis, p_seqs, p_kinds, p_issued_at, p_payload_digests, p_jws, p_accepted_at, p_fact_seqs,
                p_salts, p_indexes)
         AS i (shard, subject, ref, jti, seq, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, salt, line_index);
  INSERT INTO records_in_force (shard, subject, iss, jti, root_jti, kind, as_of, valid_until, body)
  SELECT i.shard, i.subject, p_iss, i.jti, i.jti, i.kind, i.as_of, i.valid_until, i.body
    FROM unnest(p_shards, p_subjects, p_jtis, p_kinds, p_as_of, p_valid_until, p_bodies)
         AS i (shard, subject, jti, kind, as_of, valid_until, body);
END
$$;

-- Holds many subjects, in one order, and tells everything by which each is judged: `hold_subjects` for whoever knows the subjects themselves.
CREATE OR REPLACE FUNCTION hold_known_subjects(p_shards smallint[], p_subjects uuid[])
RETURNS TABLE (subject_shard smallint, held json) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM subjects s
    WHERE (s.shard, s.subject) IN (SELECT i.shard, i.subject FROM unnest(p_shards, p_subjects) AS i (shard, subject))
    ORDER BY s.shard, s.subject FOR NO KEY UPDATE;
  RETURN QUERY
    SELECT i.shard, hold_subject(i.shard, NULL, i.subject) FROM unnest(p_shards, p_subjects) AS i (shard, subject);
END
$$;
