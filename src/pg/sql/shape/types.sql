-- Enums with their labels, domains and ranges in the schemas $1; collations, operators and casts as far as that they are there.
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'range' END AS kind, t.oid::regtype::text AS identity,
       concat_ws(', ', 'owner ' || pg_get_userbyid(t.typowner),
         (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
         CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
         CASE WHEN t.typnotnull THEN 'not null' END,
         'default ' || t.typdefault,
         CASE WHEN t.typtype = 'd' AND t.typcollation <> 0 THEN 'collate ' || t.typcollation::regcollation END,
         (SELECT 'of ' || r.rngsubtype::regtype FROM pg_range r WHERE r.rngtypid = t.oid)) AS definition
FROM pg_type t
WHERE t.typnamespace = ANY ($1::oid[]) AND t.typtype IN ('e', 'd', 'r')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT 'collation', c.oid::regcollation::text, format('owner %s, provider %s', pg_get_userbyid(c.collowner), c.collprovider)
FROM pg_collation c
WHERE c.collnamespace = ANY ($1::oid[])
UNION ALL
SELECT 'operator', o.oid::regoperator::text, format('owner %s, runs %s', pg_get_userbyid(o.oprowner), o.oprcode)
FROM pg_operator o
WHERE o.oprnamespace = ANY ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT 'cast', format('%s as %s', c.castsource::regtype, c.casttarget::regtype),
       concat_ws(', ', 'runs ' || nullif(c.castfunc, 0)::regprocedure,
         CASE c.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'on assignment' ELSE 'explicit' END)
FROM pg_cast c
-- The server's own are made at initdb, below the first number of a user's objects.
WHERE c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'e')
