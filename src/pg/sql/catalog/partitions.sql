-- The relations of a partitioned table ($1), itself first and parents before their children; none for any other table.
WITH RECURSIVE tree AS (
  SELECT c.oid, NULL::oid AS parent, 0 AS level FROM pg_class c WHERE c.oid = to_regclass($1)::oid AND c.relkind = 'p'
  UNION ALL
  SELECT i.inhrelid, tree.oid, tree.level + 1 FROM pg_inherits i JOIN tree ON tree.oid = i.inhparent
)
SELECT n.nspname, c.relname, c.oid, tree.parent, c.relkind = 'p' AS partitioned, c.relkind = 'f' AS is_foreign
FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY tree.level, n.nspname, c.relname
