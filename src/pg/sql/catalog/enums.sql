-- What recipes need to know of enum types. A name that a table has as well is left to the table.
-- $1: their names, as SQL writes them. One row each that is there, as JSON.
SELECT asked.name, jsonb_build_object(
    'kind', t.typtype,
    'schema', t.typnamespace::regnamespace,
    'labels', (SELECT coalesce(jsonb_agg(e.enumlabel ORDER BY e.enumsortorder), '[]') FROM pg_enum e WHERE e.enumtypid = t.oid),
    'owner', pg_get_userbyid(t.typowner),
    'comment', obj_description(t.oid, 'pg_type'),
    'grants', CASE WHEN t.typacl IS NOT NULL THEN
        (SELECT coalesce(jsonb_agg(jsonb_build_object('to', g.rolname, 'privilege', x.privilege_type,
             'grantable', x.is_grantable) ORDER BY g.rolname, x.privilege_type), '[]')
         FROM aclexplode(t.typacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE x.grantee <> t.typowner) END,
    'users', (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object(
            'said', pg_describe_object(d.classid, d.objid, d.objsubid),
            'relation', coalesce(a.attrelid, i.indrelid, k.conrelid, f.adrelid, g.tgrelid)::regclass,
            'kind', CASE WHEN a.attname IS NOT NULL THEN 'column' WHEN i.indexrelid IS NOT NULL THEN 'index'
                WHEN k.oid IS NOT NULL THEN 'constraint' WHEN f.oid IS NOT NULL THEN 'default'
                WHEN g.oid IS NOT NULL THEN 'trigger' ELSE 'other' END,
            'called', coalesce(a.attname, x.relname, k.conname, b.attname, g.tgname),
            'array', d.refobjid = t.typarray)), '[]')
        FROM pg_depend d
        LEFT JOIN pg_attribute a ON d.classid = 'pg_class'::regclass AND d.objsubid > 0
            AND (a.attrelid, a.attnum) = (d.objid, d.objsubid)
            AND EXISTS (SELECT FROM pg_class c WHERE c.oid = a.attrelid AND c.relkind IN ('r', 'p'))
        LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND i.indexrelid = d.objid
        LEFT JOIN pg_class x ON x.oid = i.indexrelid
        LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.conrelid <> 0
        LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
        LEFT JOIN pg_attribute b ON (b.attrelid, b.attnum) = (f.adrelid, f.adnum)
        LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
        WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype IN ('n', 'a'))
) AS seen
FROM unnest($1::text[]) asked (name)
JOIN pg_type t ON t.oid = to_regtype(asked.name) AND t.typtype <> 'c' AND t.typelem = 0
