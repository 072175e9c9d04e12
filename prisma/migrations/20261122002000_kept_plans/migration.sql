-- Plans of these functions are kept until statistics change. Of a table with some two hundred rows the planner took holds of a subject by the
-- primary key, all of the shard, and sorted them: eight times slower after 40,000 rows, until the next ANALYZE (2026-11-22). Where sorting
-- counts as a last resort, the index that gives the order by itself is taken at any size (libs/decisions/src/adapters/pg-plans.spec.ts).
ALTER FUNCTION reserve_batch(smallint[], integer, smallint[], integer[], decision_item[], decision_cap[]) SET enable_sort = off;
ALTER FUNCTION inspect_batch(integer[], inspection[], decision_cap[]) SET enable_sort = off;
