-- The tables that hold rows of a table: itself, its partitions, what inherits from it.
WITH RECURSIVE tree AS (
  SELECT to_regclass($1)::oid AS oid
  UNION
  SELECT i.inhrelid FROM pg_inherits i JOIN tree ON tree.oid = i.inhparent
)
SELECT c.oid, n.nspname, c.relname, c.relkind::text AS relkind,
       coalesce(pg_relation_filenode(c.oid), 0)::bigint AS filenode,
       CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::bigint ELSE 0 END AS pages
FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'p'
ORDER BY c.oid
