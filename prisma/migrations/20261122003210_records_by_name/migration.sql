-- A name finds one record, and the planner has to know it before it has statistics: asked by (shard, jti, iss) it took `records_by_issuer`, and all
-- records of the issuer with it, where no index said that the name is unique.
CREATE UNIQUE INDEX records_by_name ON records (shard, jti, iss);
DROP INDEX records_by_jti;
