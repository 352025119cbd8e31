-- Every relation but the server's own and those of the record ($2): its file, how often this transaction has read it
-- from end to end, and the locks on it that the backend $1 holds or waits for.
SELECT c.oid AS id, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       pg_table_is_visible(c.oid) AS visible, coalesce(pg_relation_filenode(c.oid), 0)::bigint AS file,
       coalesce(pg_stat_get_xact_numscans(c.oid), 0) AS scans, coalesce(pg_stat_get_xact_tuples_returned(c.oid), 0) AS rows_read,
       coalesce(held.modes, '{}') AS modes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (
  SELECT l.relation, array_agg(DISTINCT l.mode) AS modes FROM pg_locks l
  WHERE l.pid = $1 AND l.locktype = 'relation' AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
  GROUP BY l.relation
) held ON held.relation = c.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_toast_temp_' AND n.nspname <> $2
