-- The schemas that are not the server's own, nor the record's ($1), each with its owner.
SELECT n.oid AS id, 'schema' AS kind, quote_ident(n.nspname) AS identity, 'owner ' || pg_get_userbyid(n.nspowner) AS definition
FROM pg_namespace n
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_' AND n.nspname <> $1
