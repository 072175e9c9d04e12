-- That an event was given up is marked on the event itself: looking for what may be pushed passes over no dead letters, however many there are.
-- `event_pushes.dead_at` says the same; the release before knows only that one.
ALTER TABLE events ADD COLUMN dead_at timestamptz;
UPDATE events e SET dead_at = p.dead_at FROM event_pushes p
 WHERE p.shard = e.shard AND p.participant_id = e.participant_id AND p.event = e.id AND p.dead_at IS NOT NULL AND e.acked_at IS NULL;
CREATE INDEX events_pushable ON events (shard, participant_id, at, origin_shard, origin_seq) WHERE acked_at IS NULL AND dead_at IS NULL;
