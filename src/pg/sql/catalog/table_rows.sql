-- Live rows of a table and its partitions, as the statistics have it; never negative.
WITH RECURSIVE tree AS (
  SELECT to_regclass($1)::oid AS relid
  UNION ALL
  SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.relid
)
SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS estimate
FROM tree JOIN pg_class c ON c.oid = tree.relid
