-- Where the database is older than a checkpoint that was signed, the sealer sets "stopped" to the last number of each shard: whatever would
-- take another one fails as a whole, in every process, until the database is recovered (libs/audit, apps/OPERATING.md).
ALTER TABLE shard_heads
  ADD COLUMN stopped bigint,
  ADD CONSTRAINT shard_heads_not_stopped CHECK (stopped IS NULL OR last_seq <= stopped);
