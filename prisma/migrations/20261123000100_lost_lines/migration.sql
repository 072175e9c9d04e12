-- A batch whose lines are gone ends (FAILED, batch.lines_lost) when they were missed for long; its bank sends them again, and it goes on
-- (libs/records). While releases are mixed: a worker of before tries a failed batch again, in vain, and the next one fails it again.
ALTER TABLE record_batches ADD COLUMN lines_missing_since timestamptz;
ALTER TABLE record_batches DROP CONSTRAINT record_batches_state;
ALTER TABLE record_batches
  ADD CONSTRAINT record_batches_state CHECK (state IN ('RECEIVED', 'PROCESSING', 'DONE', 'FAILED')) NOT VALID;
ALTER TABLE record_batches VALIDATE CONSTRAINT record_batches_state;
