-- What a REINDEX CONCURRENTLY of a table or an index ($1) left that came to no end, and that nobody is at now.
WITH meant AS (SELECT to_regclass($1)::oid AS oid),
tables AS (
  SELECT coalesce(i.indrelid, meant.oid) AS oid, i.indexrelid AS only
  FROM meant LEFT JOIN pg_index i ON i.indexrelid = meant.oid
)
SELECT n.nspname, c.relname
FROM tables JOIN pg_class t ON t.oid = tables.oid
JOIN pg_index i ON i.indrelid = t.oid OR (tables.only IS NULL AND i.indrelid = t.reltoastrelid AND t.reltoastrelid <> 0)
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
  -- The server cuts the name of the index to make room for the ending.
  AND (tables.only IS NULL OR starts_with((SELECT relname FROM pg_class WHERE oid = tables.only),
                                          regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '')))
  AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = i.indexrelid AND l.pid <> pg_backend_pid())
ORDER BY c.oid
