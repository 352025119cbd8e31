-- Triggers of a table ($1) and its partitions that are not the server's own nor this program's.
WITH RECURSIVE tree AS (
  SELECT to_regclass($1)::oid AS oid
  UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN tree ON tree.oid = i.inhparent
)
SELECT DISTINCT t.tgname AS name, t.tgfoid::regproc::text AS function, t.tgenabled::text AS enabled,
       CASE WHEN (t.tgtype & 2) <> 0 THEN 'BEFORE' WHEN (t.tgtype & 64) <> 0 THEN 'INSTEAD OF' ELSE 'AFTER' END AS timing,
       (t.tgtype & 1) <> 0 AS each_row, (t.tgtype & 4) <> 0 AS on_insert, (t.tgtype & 8) <> 0 AS on_delete,
       (t.tgtype & 16) <> 0 AS on_update,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[]) ORDER BY a.attnum) AS columns
FROM pg_trigger t JOIN tree ON tree.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND p.pronamespace IS DISTINCT FROM (SELECT oid FROM pg_namespace WHERE nspname = $2)
ORDER BY name, function
