-- Lines of a sealed batch that will be refused for what they are: read while they come in, so that their bank hears of them at once. Null where each
-- line is signed by itself, and of batches that a release before received.
ALTER TABLE record_batches ADD COLUMN faults bigint;
-- The first of them: [{line, code, detail, field}].
ALTER TABLE record_batches ADD COLUMN faults_told jsonb;
