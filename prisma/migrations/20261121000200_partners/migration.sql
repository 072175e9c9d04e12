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
  -- From where it may call (CIDR); empty: from anywhere.
  addresses           text[] NOT NULL DEFAULT '{}',
  -- Kids of our own keys that this participant has shown to verify.
  proved_gateway_keys text[] NOT NULL DEFAULT '{}',
  suspend_from   timestamptz,
  suspend_reason text,
  -- Who proposed to close it, and why; somebody else confirms.
  closing_by     text,
  closing_reason text,
  closing_at     timestamptz,
  CONSTRAINT participants_suspension_whole CHECK ((suspend_from IS NULL) = (suspend_reason IS NULL)),
  CONSTRAINT participants_closing_whole CHECK ((closing_by IS NULL) = (closing_at IS NULL) AND (closing_by IS NULL) = (closing_reason IS NULL)),
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
  -- The fewest days ahead of which its end was announced.
  announced_days smallint,
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
  -- What an announced key must sign before it counts.
  challenge       text,
  not_after       timestamptz,
  suspected_since timestamptz,
  announced_days  smallint,
  CONSTRAINT participant_keys_pkey PRIMARY KEY (participant_id, kid),
  CONSTRAINT participant_keys_participant_fkey FOREIGN KEY (participant_id) REFERENCES participants (id),
  CONSTRAINT participant_keys_state_known CHECK (state IN ('ANNOUNCED', 'PROBED', 'READY', 'ACTIVE', 'RETIRED', 'COMPROMISED')),
  CONSTRAINT participant_keys_challenge_announced CHECK ((challenge IS NULL) = (state <> 'ANNOUNCED')),
  CONSTRAINT participant_keys_suspicion_compromised CHECK ((suspected_since IS NULL) = (state <> 'COMPROMISED'))
);

-- A single-use secret that lets one organisation enrol. Only its SHA-256 is kept.
CREATE TABLE participant_invitations (
  digest         text        NOT NULL CONSTRAINT participant_invitations_pkey PRIMARY KEY,
  participant_id text        NOT NULL,
  invited_by     text        NOT NULL,
  -- Active as soon as it is enrolled: the operator has checked everything else already.
  activate       boolean     NOT NULL,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  used_at        timestamptz,
  withdrawn_at   timestamptz,
  CONSTRAINT participant_invitations_participant_fkey FOREIGN KEY (participant_id) REFERENCES participants (id)
);
CREATE INDEX participant_invitations_by_participant ON participant_invitations (participant_id);

-- What waits for the issuer, and what it answered. The gateway writes requests and cannot sign; whoever holds the issuing key reads them here.
CREATE TABLE certificate_requests (
  id             uuid        NOT NULL CONSTRAINT certificate_requests_pkey PRIMARY KEY,
  participant_id text        NOT NULL,
  -- Absent: asked for by the participant itself, over the connection that it has.
  invitation     text,
  csr            text        NOT NULL,
  -- Over everything that was asked: the CSR, the keys, the addresses.
  input_digest   text        NOT NULL,
  state          text        NOT NULL,
  requested_at   timestamptz NOT NULL,
  decided_at     timestamptz,
  certificate    text,
  refused_code   text,
  refused_detail text,
  CONSTRAINT certificate_requests_participant_fkey FOREIGN KEY (participant_id) REFERENCES participants (id),
  CONSTRAINT certificate_requests_invitation_fkey FOREIGN KEY (invitation) REFERENCES participant_invitations (digest),
  CONSTRAINT certificate_requests_invitation_once UNIQUE (invitation),
  CONSTRAINT certificate_requests_state_known CHECK (state IN ('REQUESTED', 'ISSUED', 'REFUSED')),
  CONSTRAINT certificate_requests_issued_whole CHECK ((certificate IS NULL) = (state <> 'ISSUED')),
  CONSTRAINT certificate_requests_refused_whole CHECK ((refused_code IS NULL) = (state <> 'REFUSED'))
);
CREATE INDEX certificate_requests_by_participant ON certificate_requests (participant_id);
CREATE INDEX certificate_requests_outstanding ON certificate_requests (requested_at) WHERE state = 'REQUESTED';

REVOKE DELETE, TRUNCATE ON participants, participant_certificates, participant_keys, participant_invitations, certificate_requests FROM tallystick_app;

-- Call budgets where there is no Redis (rate-limiter-flexible's own layout). Losing it loses nothing but counts of the last seconds.
CREATE UNLOGGED TABLE rate_limits (
  key    text             NOT NULL CONSTRAINT rate_limits_pkey PRIMARY KEY,
  points integer          NOT NULL DEFAULT 0,
  expire double precision
);
