-- What the lock table needs to know of relations.
-- $1: their names, as SQL writes them. One row each that is there, as JSON.
SELECT asked.name, jsonb_build_object(
    'kind', c.relkind,
    'rows', greatest(c.reltuples, 0)::bigint + coalesce(tree.rows, 0),
    'analyzed', c.reltuples >= 0 OR c.relkind = 'p',
    'bytes', CASE WHEN c.relkind IN ('r', 'm', 'p') THEN pg_table_size(c.oid) + coalesce(tree.bytes, 0) END,
    'index_of', (SELECT i.indrelid::regclass::text FROM pg_index i WHERE i.indexrelid = c.oid),
    'parent', (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = c.oid LIMIT 1),
    'partitions', coalesce(tree.below, '[]'),
    'default_partition', (SELECT p.partdefid::regclass::text FROM pg_partitioned_table p
                          WHERE p.partrelid = c.oid AND p.partdefid <> 0),
    'columns', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', a.attname, 'kind', format_type(a.atttypid, a.atttypmod),
            'default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                        WHERE d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated = ''),
            'filled', CASE WHEN a.attgenerated <> '' THEN 'generated' WHEN a.attidentity = 'a' THEN 'always'
                WHEN a.attidentity = 'd' THEN 'identity'
                WHEN EXISTS (SELECT FROM pg_depend e JOIN pg_class s ON s.oid = e.objid AND s.relkind = 'S'
                    WHERE e.classid = 'pg_class'::regclass AND e.refclassid = 'pg_class'::regclass
                    AND e.refobjid = c.oid AND e.refobjsubid = a.attnum AND e.deptype = 'a') THEN 'serial' END,
            'collation', (SELECT a.attcollation::regcollation::text FROM pg_type y
                          WHERE y.oid = a.atttypid AND a.attcollation NOT IN (0, y.typcollation)),
            -- From 18 on NOT NULL may be there without being proven.
            'not_null', a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint n
                WHERE n.conrelid = c.oid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated))
            ORDER BY a.attnum), '[]')
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'constraints', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', k.conname, 'kind', k.contype, 'valid', k.convalidated,
            'columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)),
            'check', CASE WHEN k.contype = 'c' AND NOT k.connoinherit THEN pg_get_expr(k.conbin, k.conrelid) END,
            'definition', CASE WHEN k.contype IN ('f', 'u') THEN pg_get_constraintdef(k.oid) END,
            'references', CASE WHEN k.contype = 'f' THEN k.confrelid::regclass::text END)), '[]')
        FROM pg_constraint k WHERE k.conrelid = c.oid),
    'indexes', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', x.relname, 'definition', pg_get_indexdef(x.oid), 'valid', i.indisvalid,
            'constraint', EXISTS (SELECT FROM pg_constraint k
                WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')))), '[]')
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
    'referenced_by', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', k.conname, 'table', k.conrelid::regclass::text,
            'columns', (SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (k.confkey)))), '[]')
        FROM pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.conrelid <> c.oid),
    'key', (SELECT jsonb_build_object('hash', p.partstrat = 'h', 'columns', jsonb_agg(a.attname ORDER BY key.place))
        FROM pg_partitioned_table p, unnest(p.partattrs::smallint[]) WITH ORDINALITY key (attnum, place)
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.attnum AND key.attnum > 0
        WHERE p.partrelid = c.oid GROUP BY p.partstrat)
) AS seen
FROM unnest($1::text[]) asked (name)
JOIN pg_class c ON c.oid = to_regclass(asked.name)
LEFT JOIN LATERAL (
    -- Partitions, or the tables that inherit, of every level.
    WITH RECURSIVE under AS (
        SELECT h.inhrelid FROM pg_inherits h WHERE h.inhparent = c.oid
        UNION SELECT h.inhrelid FROM pg_inherits h JOIN under ON h.inhparent = under.inhrelid
    )
    SELECT jsonb_agg(below.oid::regclass::text) AS below,
           sum(greatest(below.reltuples, 0))::bigint AS rows, sum(pg_table_size(below.oid))::bigint AS bytes
    FROM under JOIN pg_class below ON below.oid = under.inhrelid
) tree ON c.relkind IN ('r', 'p')
