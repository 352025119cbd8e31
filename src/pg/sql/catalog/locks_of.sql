-- The locks that a session ($1) holds on what was there before its transaction, the metadata schema ($2) left out.
SELECT l.relation::regclass::text AS relation, l.mode
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
  AND (c.relkind IN ('r', 'p', 'm', 'v', 'f') OR (c.relkind IN ('i', 'I') AND l.mode = 'AccessExclusiveLock'))
WHERE l.pid = $1 AND l.granted AND l.locktype = 'relation' AND l.relation >= 16384
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relnamespace IS DISTINCT FROM to_regnamespace(quote_ident($2))::oid
