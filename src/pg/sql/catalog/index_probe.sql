-- What has the name of an index: $1 the name with its schema, or null; $2 its
-- bare name; $3 the table that it should be on, or null.
WITH place AS (
  SELECT to_regclass($3::text)::oid AS wanted
), named AS (
  SELECT c.oid, c.relkind, place.wanted FROM place, pg_class c
  WHERE CASE WHEN place.wanted IS NULL THEN c.oid = to_regclass($1::text)::oid
        ELSE c.relname = $2::text AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = place.wanted) END
)
SELECT named.oid::regclass::text AS name,
       named.relkind::text AS kind,
       i.indexrelid IS NOT NULL AND (named.wanted IS NULL OR i.indrelid = named.wanted) AS ours,
       coalesce(i.indisvalid AND i.indisready, false) AS valid,
       coalesce(pg_get_indexdef(i.indexrelid), '') AS definition,
       (SELECT p.pid FROM pg_stat_progress_create_index p
        WHERE p.pid <> pg_backend_pid() AND p.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (p.index_relid = i.indexrelid OR EXISTS (
            SELECT FROM pg_locks l WHERE l.pid = p.pid AND l.relation = i.indrelid AND l.granted
              AND l.locktype = 'relation' AND l.mode = 'ShareUpdateExclusiveLock'))
        LIMIT 1) AS builder
FROM named LEFT JOIN pg_index i ON i.indexrelid = named.oid
