-- What builds an index again: CREATE INDEX CONCURRENTLY with every detail of it.
SELECT json_build_object(
         'schema', n.nspname, 'table', t.relname, 'name', c.relname, 'unique', i.indisunique,
         'create', regexp_replace(pg_get_indexdef(c.oid), '^CREATE (UNIQUE )?INDEX ', 'CREATE \1INDEX CONCURRENTLY ')
       )::text AS definition
FROM pg_class c
JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE c.oid = to_regclass($1)::oid AND i.indisvalid
