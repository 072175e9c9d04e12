-- Who took each step of a policy's life, beside its author and approver (libs/policies/src/lifecycle.ts). Null: taken before 2026-11-22, or by
-- a release that does not know of it.

ALTER TABLE policies ADD COLUMN shadowed_by text;
ALTER TABLE policies ADD COLUMN scheduled_by text;
ALTER TABLE policies ADD COLUMN activated_by text;
ALTER TABLE policies ADD COLUMN retired_by text;
GRANT UPDATE (shadowed_by, scheduled_by, activated_by, retired_by) ON policies TO tallystick_app;
