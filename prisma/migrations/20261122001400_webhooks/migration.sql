-- Where a participant wants its events pushed (RFC 8935), and how that goes. One row per participant, on its shard.
CREATE TABLE webhooks (
  shard          smallint    NOT NULL,
  participant_id text        NOT NULL,
  url            text        NOT NULL,
  -- Which kinds of events it wants; empty: every kind. What it does not want waits for a poll.
  kinds          text[]      NOT NULL,
  -- What the receiver must echo before any event is pushed; null: it has.
  challenge      text,
  registered_at  timestamptz NOT NULL,
  confirmed_at   timestamptz,
  -- An operator holds it back; events wait.
  paused_at      timestamptz,
  paused_why     text,
  -- Attempts in a row that the endpoint did not answer as it should.
  failures       integer     NOT NULL DEFAULT 0,
  -- Since when it gets one probe at a time, at `next_try_at`.
  failing_since  timestamptz,
  failure        jsonb,
  next_try_at    timestamptz,
  delivered_at   timestamptz,
  -- Who works on it now: one worker at a time, by a lease that runs out. The epoch is counted on by every claim and every change of the address.
  epoch          bigint      NOT NULL DEFAULT 0,
  leased_until   timestamptz,
  CONSTRAINT webhooks_pkey PRIMARY KEY (shard, participant_id),
  CONSTRAINT webhooks_confirmed_is_echoed CHECK ((challenge IS NULL) = (confirmed_at IS NOT NULL)),
  CONSTRAINT webhooks_pause_has_reason CHECK ((paused_at IS NULL) = (paused_why IS NULL))
) WITH (fillfactor = 60);

-- Events that could not be pushed, each until it is acknowledged, by webhook or by poll. It holds back the later events of its subject.
CREATE TABLE event_pushes (
  shard           smallint    NOT NULL,
  participant_id  text        NOT NULL,
  event           uuid        NOT NULL,
  subject_ref     uuid        NOT NULL,
  -- The event's place in the order of delivery.
  at              timestamptz NOT NULL,
  origin_shard    smallint    NOT NULL,
  origin_seq      bigint      NOT NULL,
  failures        integer     NOT NULL,
  first_failed_at timestamptz NOT NULL,
  -- Whether the receiver refused this event (RFC 8935, section 2.3), or the endpoint was in trouble.
  refused         boolean     NOT NULL,
  failure         jsonb       NOT NULL,
  retry_at        timestamptz NOT NULL,
  -- Given up: holds nothing back any more, and waits to be sent again or polled.
  dead_at         timestamptz,
  CONSTRAINT event_pushes_pkey PRIMARY KEY (shard, participant_id, event),
  CONSTRAINT event_pushes_event_fkey FOREIGN KEY (shard, participant_id, event) REFERENCES events (shard, participant_id, id)
) WITH (fillfactor = 80);
CREATE INDEX event_pushes_held ON event_pushes (shard, participant_id, subject_ref) WHERE dead_at IS NULL;
CREATE INDEX event_pushes_dead ON event_pushes (shard, participant_id, dead_at) WHERE dead_at IS NOT NULL;
CREATE INDEX event_pushes_old ON event_pushes (shard, first_failed_at) WHERE dead_at IS NULL;
