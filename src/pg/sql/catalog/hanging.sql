-- What hangs on tables and their columns and is no foreign key of another table: what holds a
-- DROP back, and what goes along with it in silence. Constraints and indexes of the table itself
-- that go along are asked for elsewhere.
-- $1: the tables, as SQL writes them. One row each, with its column where it is not the
-- table as a whole; of a partitioned table also what hangs on its partitions.
WITH tree AS (
    SELECT asked.name, below.oid
    FROM unnest($1::text[]) asked (name)
    CROSS JOIN LATERAL (
        WITH RECURSIVE tree AS (
            SELECT to_regclass(asked.name)::oid AS oid
            UNION SELECT h.inhrelid FROM pg_inherits h JOIN tree ON h.inhparent = tree.oid
        )
        SELECT oid FROM tree WHERE oid IS NOT NULL
    ) below
)
SELECT DISTINCT tree.name, a.attname::text AS column,
       CASE WHEN r.oid IS NOT NULL AND r.rulename = '_RETURN' THEN 'view' WHEN r.oid IS NOT NULL THEN 'rule'
            WHEN p.oid IS NOT NULL THEN 'policy' WHEN t.oid IS NOT NULL THEN 'trigger'
            WHEN g.attnum IS NOT NULL THEN 'generated' WHEN k.oid IS NOT NULL THEN 'foreign'
            ELSE 'other' END AS kind,
       -- The relation that it is, or that it belongs to.
       coalesce(r.ev_class, p.polrelid, t.tgrelid, g.attrelid, k.conrelid)::regclass::text AS relation,
       coalesce(g.attname, k.conname, p.polname, t.tgname, r.rulename)::text AS called,
       -- A view is known to people as itself, not as its rule.
       CASE WHEN r.oid IS NOT NULL AND r.rulename = '_RETURN' THEN pg_describe_object('pg_class'::regclass, r.ev_class, 0)
            WHEN g.attnum IS NOT NULL THEN 'generated column ' || g.attname || ' of table ' || g.attrelid::regclass
            ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END AS said,
       d.deptype = 'n' AS holds
FROM tree
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = tree.oid AND d.deptype IN ('n', 'a')
LEFT JOIN pg_attribute a ON a.attrelid = tree.oid AND a.attnum = d.refobjsubid AND a.attnum > 0
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
-- A generated column hangs on another by itself, or from PostgreSQL 15 on by its expression.
LEFT JOIN pg_attrdef e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
LEFT JOIN pg_attribute g ON g.attgenerated <> '' AND (g.attrelid, g.attnum) <> (a.attrelid, a.attnum)
    AND ((e.adrelid, e.adnum) = (g.attrelid, g.attnum)
         OR d.classid = 'pg_class'::regclass AND (d.objid, d.objsubid) = (g.attrelid, g.attnum::integer))
WHERE (a.attnum IS NOT NULL OR d.refobjsubid = 0)
  -- The table's own constraints, indexes and sequences go along, and are known otherwise.
  AND CASE WHEN d.deptype = 'a' THEN g.attnum IS NOT NULL OR d.classid = 'pg_statistic_ext'::regclass
           ELSE NOT EXISTS (SELECT FROM pg_depend o WHERE (o.classid, o.objid, o.objsubid) = (d.classid, d.objid, d.objsubid)
                            AND (o.refclassid, o.refobjid, o.refobjsubid) = (d.refclassid, d.refobjid, d.refobjsubid)
                            AND o.deptype IN ('a', 'i')) END
  -- Foreign keys of other tables are told by them; the triggers of a sync go with the sync.
  AND NOT (k.oid IS NOT NULL AND k.conrelid <> k.confrelid)
  AND NOT coalesce(t.tgisinternal OR t.tgname LIKE 'zz\_phase\_%', false)
ORDER BY 1, 2, said
