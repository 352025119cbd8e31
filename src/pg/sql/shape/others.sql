-- Comments on whatever stands in the schemas $1 or in none, publications with what they publish, extensions, foreign servers.
SELECT 'comment' AS kind, format('%s %s', o.type, o.identity) AS identity, d.description AS definition
FROM pg_description d
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o
-- The server's own comments are made at initdb, below the first number of a user's objects; `public` is one of those.
WHERE (d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND d.objoid = ANY ($1::oid[])))
  AND (o.schema IS NULL OR EXISTS (SELECT FROM pg_namespace n WHERE n.oid = ANY ($1::oid[]) AND quote_ident(n.nspname) = o.schema))
  AND (d.classoid <> 'pg_namespace'::regclass OR d.objoid = ANY ($1::oid[]))
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
UNION ALL
SELECT 'publication', quote_ident(p.pubname),
       concat_ws(', ', 'owner ' || pg_get_userbyid(p.pubowner), CASE WHEN p.puballtables THEN 'all tables' END,
         CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
         CASE WHEN p.pubtruncate THEN 'truncate' END, CASE WHEN p.pubviaroot THEN 'via root' END)
FROM pg_publication p
UNION ALL
SELECT 'published table', format('%I: %s', p.pubname, r.prrelid::regclass),
       concat_ws(', ', 'published',
         'columns ' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
                        FROM regexp_split_to_table(to_jsonb(r) ->> 'prattrs', '\D+') k
                        JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = nullif(k, '')::int),
         -- From 15 on; only where there is one, the server has a column that prints it.
         (SELECT 'where ' || (to_jsonb(t) ->> 'rowfilter') FROM pg_publication_tables t JOIN pg_class c ON c.oid = r.prrelid
          WHERE t.pubname = p.pubname AND t.schemaname = (SELECT n.nspname FROM pg_namespace n WHERE n.oid = c.relnamespace) AND t.tablename = c.relname))
FROM pg_publication_rel r
JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL
SELECT 'extension', quote_ident(e.extname), format('version %s, schema %s', e.extversion, e.extnamespace::regnamespace)
FROM pg_extension e
UNION ALL
SELECT 'foreign server', quote_ident(s.srvname),
       concat_ws(', ', 'owner ' || pg_get_userbyid(s.srvowner), 'wrapper ' || w.fdwname, 'with (' || array_to_string(s.srvoptions, ', ') || ')')
FROM pg_foreign_server s
JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
