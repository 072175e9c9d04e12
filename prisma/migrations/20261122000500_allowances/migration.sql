-- Allowances: what a service may spend while nobody can be asked. An allowance is a reservation that is settled in parts; it bears the UUID of
-- its decision. Every writer of these tables holds the head row of the shard.

-- A part that was spent is a confirmed reservation of its own, with its own payment reference: reconciliation and refunds know it as any other.
-- NULL: an ordinary reservation, which bears its decision's UUID.
ALTER TABLE reservations ADD COLUMN allowance uuid;
CREATE INDEX reservations_by_allowance ON reservations (shard, allowance) WHERE allowance IS NOT NULL;

CREATE TABLE allowances (
  shard        smallint    NOT NULL,
  allowance    uuid        NOT NULL,
  subject      uuid        NOT NULL,
  -- The service account it was issued to: the only one that may settle it.
  holder       text        NOT NULL,
  service      text        NOT NULL,
  counterparty text,
  channel      text,
  currency     text        NOT NULL,
  amount_minor bigint      NOT NULL CONSTRAINT allowances_amount_positive CHECK (amount_minor > 0),
  spends_asked integer     NOT NULL,
  spends_max   integer     NOT NULL CONSTRAINT allowances_spends_granted CHECK (spends_max BETWEEN 1 AND spends_asked),
  issued_at    timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  -- The hold outlives the allowance by the grace: what was spent in time can be reported later and still finds its room.
  hold_until   timestamptz NOT NULL,
  closed_at    timestamptz,
  -- The fact commits to SHA-256(salt || canonical JSON of allowance, amount, currency and parts).
  salt         uuid        NOT NULL,
  CONSTRAINT allowances_pkey PRIMARY KEY (shard, allowance),
  CONSTRAINT allowances_reservation_fkey FOREIGN KEY (shard, allowance) REFERENCES reservations (shard, reservation)
);
REVOKE DELETE, TRUNCATE ON allowances FROM tallystick_app;

-- What a holder reported, once per payment reference. The first word stands; a part that the allowance does not cover is kept as evidence.
CREATE TABLE allowance_spends (
  shard        smallint    NOT NULL,
  allowance    uuid        NOT NULL,
  reference    text        NOT NULL,
  -- The confirmed reservation of this part; NULL where it was refused.
  reservation  uuid,
  amount_minor bigint      NOT NULL CONSTRAINT allowance_spends_amount_positive CHECK (amount_minor > 0),
  spent_at     timestamptz NOT NULL,
  reported_at  timestamptz NOT NULL,
  result       text        NOT NULL CONSTRAINT allowance_spends_result_known CHECK (result IN ('SETTLED', 'LATE', 'REFUSED')),
  code         text,
  -- The number of its fact, which commits to SHA-256(salt || canonical JSON of the report and its result).
  salt         uuid        NOT NULL,
  seq          bigint      NOT NULL,
  CONSTRAINT allowance_spends_pkey PRIMARY KEY (shard, allowance, reference),
  CONSTRAINT allowance_spends_allowance_fkey FOREIGN KEY (shard, allowance) REFERENCES allowances (shard, allowance)
);
REVOKE UPDATE, DELETE, TRUNCATE ON allowance_spends FROM tallystick_app;

-- What services said yes to on their own while nobody could be asked (the SDK's open posture), once per key, with the decision as it should have been.
CREATE TABLE open_answers (
  shard       smallint    NOT NULL,
  subject     uuid        NOT NULL,
  caller      text        NOT NULL,
  key         text        NOT NULL,
  decision    uuid        NOT NULL,
  service     text        NOT NULL,
  outcome     text        NOT NULL CONSTRAINT open_answers_outcome_known CHECK (outcome IN ('ALLOW', 'DENY', 'REVIEW')),
  answered_at timestamptz NOT NULL,
  reported_at timestamptz NOT NULL,
  seq         bigint      NOT NULL,
  CONSTRAINT open_answers_pkey PRIMARY KEY (shard, subject, caller, key)
);
REVOKE UPDATE, DELETE, TRUNCATE ON open_answers FROM tallystick_app;
