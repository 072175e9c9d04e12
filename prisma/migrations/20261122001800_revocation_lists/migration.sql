-- What shows, years later, that the certificate of a record was not revoked when the record came.

-- Each certificate revocation list that a certificate was looked for in, as its authority published it, once.
CREATE TABLE revocation_lists (
  -- SHA-256 of the list, base64url; the fact of a check names it.
  list        text        NOT NULL,
  -- SHA-256 of its authority's certificate, base64url.
  authority   text        NOT NULL,
  this_update timestamptz NOT NULL,
  next_update timestamptz NOT NULL,
  der         bytea       NOT NULL,
  CONSTRAINT revocation_lists_pkey PRIMARY KEY (list)
);
REVOKE UPDATE, DELETE, TRUNCATE ON revocation_lists FROM tallystick_app;

-- A certificate that a record or batch came with was looked for in this list, and not found. One row, and one fact, for each pair.
CREATE TABLE certificate_checks (
  participant text        NOT NULL,
  x5t         text        NOT NULL,
  list        text        NOT NULL,
  checked_at  timestamptz NOT NULL,
  CONSTRAINT certificate_checks_pkey PRIMARY KEY (participant, x5t, list)
);
REVOKE UPDATE, DELETE, TRUNCATE ON certificate_checks FROM tallystick_app;
