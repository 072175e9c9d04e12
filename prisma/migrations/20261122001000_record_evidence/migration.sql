-- What the evidence of a record needs years later: the certificates that records came with, and a way to what was said of a participant.

-- Each certificate as it was first presented with a record or a batch: the leaf, then its authority, PEM. Its fact binds fingerprints and serial.
CREATE TABLE presented_certificates (
  participant text        NOT NULL,
  -- SHA-256 of the leaf, base64url (RFC 8705 x5t#S256); `record.accepted` names it.
  x5t         text        NOT NULL,
  chain       text        NOT NULL,
  seen_at     timestamptz NOT NULL,
  CONSTRAINT presented_certificates_pkey PRIMARY KEY (participant, x5t)
);
REVOKE UPDATE, DELETE, TRUNCATE ON presented_certificates FROM tallystick_app;

-- Facts about keys and certificates are few among very many; `facts_by_subject` holds none of them.
CREATE INDEX facts_by_participant ON facts (shard, participant, seq) WHERE kind LIKE 'participant.%';
