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
  -- Called like one of the indexes that are meant; the server cuts that name where the ending needs the room.
  AND EXISTS (SELECT FROM pg_index m JOIN pg_class o ON o.oid = m.indexrelid
              CROSS JOIN LATERAL (SELECT regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '') AS base) AS b
              WHERE m.indrelid = i.indrelid AND m.indexrelid = coalesce(tables.only, m.indexrelid)
                AND m.indexrelid <> i.indexrelid AND b.base <> ''
                AND (o.relname = b.base OR (octet_length(c.relname) >= 62 AND starts_with(o.relname, b.base))))
  AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = i.indexrelid AND l.pid <> pg_backend_pid())
ORDER BY c.oid
