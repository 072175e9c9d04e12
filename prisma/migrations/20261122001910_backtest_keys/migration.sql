-- A back-test that a service asks for has an idempotency key: the same question again is the same back-test (libs/decisions/src/history).

ALTER TABLE backtests ADD COLUMN request_key text;
-- SHA-256 of the question, hex: another question with the same key is refused.
ALTER TABLE backtests ADD COLUMN request_digest text;
CREATE UNIQUE INDEX backtests_by_request_key ON backtests (requested_by, request_key) WHERE request_key IS NOT NULL;
