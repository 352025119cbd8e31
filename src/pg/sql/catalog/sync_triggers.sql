-- What there is of triggers of syncs: tables ($1), the trigger of each ($2) and its function ($3), as SQL writes
-- tables and functions. One row for the table and one for each partition of it; none where the table is not there.
WITH RECURSIVE tree AS (
  SELECT n, name, to_regprocedure(function || '()')::oid AS function, to_regclass(asked)::oid AS oid, 0 AS level
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY a (asked, name, function, n)
  WHERE to_regclass(asked) IS NOT NULL
  UNION ALL
  SELECT tree.n, tree.name, tree.function, i.inhrelid, tree.level + 1
  FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
)
SELECT tree.n, tree.oid::regclass::text AS relation, t.tgenabled::text AS enabled, t.tgtype AS bits,
       cardinality(t.tgattr::int2[]) > 0 AS of_columns, coalesce(t.tgfoid = tree.function, false) AS function, p.prosrc AS body,
       -- One that fires before the row is written, after this one, and is none of a plan's.
       (SELECT quote_ident(x.tgname) FROM pg_trigger x WHERE x.tgrelid = tree.oid AND NOT x.tgisinternal AND x.tgtype & 3 = 3 AND x.tgtype & 20 <> 0
        AND x.tgname > tree.name::name AND x.tgname NOT LIKE 'zz\_phase\_%' ORDER BY x.tgname LIMIT 1) AS later
FROM tree LEFT JOIN pg_trigger t ON t.tgrelid = tree.oid AND t.tgname = tree.name
LEFT JOIN pg_proc p ON p.oid = t.tgfoid
ORDER BY tree.n, tree.level, relation
