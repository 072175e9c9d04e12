-- Who may talk to us. A registry, not a ledger: a few thousand rows that every gateway holds in memory.
-- `version` grows by one with every change of a participant or of anything below it, so that the sum over all rows is the registry's revision.

CREATE TABLE participants (
  id           text        NOT NULL CONSTRAINT participants_pkey PRIMARY KEY,
  name         text        NOT NULL,
  state        text        NOT NULL,
  state_reason text,
  version      bigint      NOT NULL,
  created_at   timestamptz NOT NULL,
  changed_at   timestamptz NOT NULL,
  CONSTRAINT participants_id_form CHECK (id ~ '^[a-z0-9-]{2,40}$'),
  CONSTRAINT participants_state_known CHECK (state IN ('INVITED', 'ENROLLED', 'ACTIVE', 'SUSPENDED', 'CLOSED'))
);

-- A certificate authority under which a certificate may name this participant. `issuer` is the SHA-256 of the authority's certificate (x5t#S256).
CREATE TABLE participant_authorities (
  participant_id text NOT NULL,
  issuer         text NOT NULL,
  CONSTRAINT participant_authorities_pkey PRIMARY KEY (participant_id, issuer),
  CONSTRAINT participant_authorities_participant_fkey FOREIGN KEY (participant_id) REFERENCES participants (id)
);

CREATE TABLE participant_certificates (
  x5t            text        NOT NULL CONSTRAINT participant_certificates_pkey PRIMARY KEY,
  participant_id text        NOT NULL,
  issuer         text        NOT NULL,
  serial         text        NOT NULL,
  not_before     timestamptz NOT NULL,
  not_after      timestamptz NOT NULL,
  revoked_at     timestamptz,
  revoked_reason text,
  CONSTRAINT participant_certificates_serial_unique UNIQUE (issuer, serial),
  CONSTRAINT participant_certificates_participant_fkey FOREIGN KEY (participant_id) REFERENCES participants (id)
);
CREATE INDEX participant_certificates_by_participant ON participant_certificates (participant_id);

CREATE TABLE participant_keys (
  participant_id text        NOT NULL,
  kid            text        NOT NULL,
  alg            text        NOT NULL,
  jwk            jsonb       NOT NULL,
  state          text        NOT NULL,
  added_at       timestamptz NOT NULL,
  changed_at     timestamptz NOT NULL,
  CONSTRAINT participant_keys_pkey PRIMARY KEY (participant_id, kid),
  CONSTRAINT participant_keys_participant_fkey FOREIGN KEY (participant_id) REFERENCES participants (id),
  CONSTRAINT participant_keys_state_known CHECK (state IN ('READY', 'ACTIVE', 'RETIRED', 'COMPROMISED'))
);

REVOKE DELETE, TRUNCATE ON participants, participant_certificates, participant_keys FROM tallystick_app;

-- Call budgets where there is no Redis (rate-limiter-flexible's own layout). Losing it loses nothing but counts of the last seconds.
CREATE UNLOGGED TABLE rate_limits (
  key    text             NOT NULL CONSTRAINT rate_limits_pkey PRIMARY KEY,
  points integer          NOT NULL DEFAULT 0,
  expire double precision
);
