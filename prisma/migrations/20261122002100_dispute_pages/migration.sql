-- A bank's disputes are listed in pages, the newest first, by id (UUIDv7). Whoever still lists them by opened_at finds a bank's by this index, too.
CREATE INDEX disputes_by_issuer ON disputes (shard, iss, id);
DROP INDEX disputes_of_issuer;
