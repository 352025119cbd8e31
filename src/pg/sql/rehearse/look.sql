-- Every relation but the server's own and those of the record ($1): its file, and how often this transaction has
-- read it from end to end.
SELECT c.oid AS id, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       pg_table_is_visible(c.oid) AS visible, coalesce(pg_relation_filenode(c.oid), 0)::bigint AS file,
       coalesce(pg_stat_get_xact_numscans(c.oid), 0) AS scans, coalesce(pg_stat_get_xact_tuples_returned(c.oid), 0) AS rows_read
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_toast_temp_' AND n.nspname <> $1
