-- The life of a policy: DRAFT -> SHADOW -> APPROVED -> ACTIVE -> RETIRED (libs/policies/src/lifecycle.ts).

ALTER TABLE policies
  -- Since when its answers are compared with the active version's (shadow_cursors).
  ADD COLUMN shadowed_at timestamptz,
  ADD COLUMN approved_at timestamptz,
  -- From when an approved version is to decide. The worker's sweep makes it so.
  ADD COLUMN activate_at timestamptz,
  ADD COLUMN retired_at  timestamptz,
  ADD CONSTRAINT policies_scheduled_is_approved CHECK (activate_at IS NULL OR approver IS NOT NULL);

CREATE INDEX policies_due ON policies (activate_at, version) WHERE state = 'APPROVED' AND activate_at IS NOT NULL;

-- What was drafted stays what it is: a version's id, hash, document and author have no way to change.
REVOKE UPDATE ON policies FROM tallystick_app;
GRANT UPDATE (state, shadowed_at, approver, approved_at, activate_at, activated_at, retired_at) ON policies TO tallystick_app;
