-- Whether a table is there, and one of the same name in another spelling or schema.
SELECT to_regclass($1) IS NOT NULL AND (
         SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass($1)::oid) AS found,
       (SELECT CASE relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                            WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' ELSE 'no table' END
        FROM pg_class WHERE oid = to_regclass($1)::oid AND relkind NOT IN ('r', 'p')) AS other,
       (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE lower(c.relname) = lower($2) AND c.relkind IN ('r', 'p')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        ORDER BY n.nspname = 'public' DESC, n.nspname LIMIT 1) AS near
