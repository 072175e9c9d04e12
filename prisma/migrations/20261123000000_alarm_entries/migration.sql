-- Entries that were signed for when a worker found the log rolled back: any other lifts the stop only where the log has them again (libs/audit).
ALTER TABLE log_alarms ADD COLUMN entries_min bigint;
