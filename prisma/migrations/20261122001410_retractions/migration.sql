-- Retractions that a bank has not acknowledged: restrictions that were lifted and records that were withdrawn.
CREATE INDEX events_open_retractions ON events (shard, at) WHERE kind IN ('restriction.lifted', 'record.withdrawn') AND acked_at IS NULL;
