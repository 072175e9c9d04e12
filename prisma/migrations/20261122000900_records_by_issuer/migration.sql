-- What an issuer sent in a span of time: looked up when one of its keys turns out to have been in wrong hands.
CREATE INDEX records_by_issuer ON records (shard, iss, accepted_at, jti);
