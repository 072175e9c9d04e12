-- Policies, one row per version. Which one is active stands in every shard's head row too: a decision batch that holds the head
-- refuses to save what another version decided. Both change in one transaction (libs/policies/src/adapters/pg-policies.ts).

CREATE TABLE policies (
  version      bigint      NOT NULL CONSTRAINT policies_pkey PRIMARY KEY,
  id           text        NOT NULL,
  -- SHA-256 of the document, which is kept in its canonical form (RFC 8785): the text is what was hashed.
  hash         text        NOT NULL,
  document     text        NOT NULL,
  state        text        NOT NULL CONSTRAINT policies_state_known CHECK (state IN ('DRAFT', 'SHADOW', 'APPROVED', 'ACTIVE', 'RETIRED')),
  author       text        NOT NULL,
  approver     text,
  created_at   timestamptz NOT NULL,
  activated_at timestamptz,
  CONSTRAINT policies_four_eyes CHECK (approver <> author),
  CONSTRAINT policies_active_is_approved CHECK (state NOT IN ('APPROVED', 'ACTIVE') OR approver IS NOT NULL)
);
CREATE UNIQUE INDEX policies_one_active ON policies (state) WHERE state = 'ACTIVE';
REVOKE DELETE, TRUNCATE ON policies FROM tallystick_app;
