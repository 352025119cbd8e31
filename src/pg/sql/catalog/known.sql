-- What recipes need to know of tables.
-- $1: their names, as SQL writes them. One row each that is there, as JSON.
SELECT asked.name, jsonb_build_object(
    'kind', c.relkind,
    'inherited', EXISTS (SELECT FROM pg_inherits h JOIN pg_class b ON b.oid = h.inhrelid
                         WHERE h.inhparent = c.oid AND NOT b.relispartition),
    'partition_key', (SELECT coalesce(jsonb_agg(a.attname), '[]') FROM pg_partitioned_table p
        JOIN pg_attribute a ON a.attrelid = c.oid AND (a.attnum = ANY (p.partattrs::smallint[])
            -- Also inside of an expression of the key.
            OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype = 'i'))
        WHERE p.partrelid = c.oid AND a.attnum > 0),
    'partitions', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', format('%I.%I', s.nspname, b.relname), 'kind', b.relkind)
            ORDER BY y.level DESC, s.nspname, b.relname), '[]')
        FROM pg_partition_tree(c.oid) y JOIN pg_class b ON b.oid = y.relid JOIN pg_namespace s ON s.oid = b.relnamespace
        WHERE b.oid <> c.oid),
    -- What a name that the server derives from the table's may meet.
    'taken', jsonb_build_object(
        'relations', (SELECT coalesce(jsonb_agg(x.relname ORDER BY x.relname), '[]') FROM pg_class x
            WHERE x.relnamespace = c.relnamespace AND starts_with(x.relname, left(c.relname, 6))
            AND x.relname ~ '_(key|excl|idx)[0-9]*$'),
        'constraints', (SELECT coalesce(jsonb_agg(DISTINCT k.conname), '[]') FROM pg_constraint k
            WHERE k.connamespace = c.relnamespace AND starts_with(k.conname, left(c.relname, 6))
            AND k.conname ~ '_(key|check|fkey|excl|not_null)[0-9]*$')),
    'columns', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', a.attname, 'kind', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
            'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(e.adbin, e.adrelid) END,
            'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(e.adbin, e.adrelid) END,
            'identity', nullif(a.attidentity::text, ''),
            'sequence', pg_get_serial_sequence(c.oid::regclass::text, a.attname),
            'comment', col_description(c.oid, a.attnum),
            'statistics', CASE WHEN coalesce(a.attstattarget, -1) >= 0 THEN a.attstattarget END,
            'collation', (SELECT a.attcollation::regcollation::text FROM pg_type y
                          WHERE y.oid = a.atttypid AND a.attcollation NOT IN (0, y.typcollation)),
            'grants', (SELECT coalesce(jsonb_agg(jsonb_build_object('to', g.rolname, 'privilege', x.privilege_type,
                           'grantable', x.is_grantable) ORDER BY g.rolname, x.privilege_type), '[]')
                       FROM aclexplode(a.attacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee),
            'inherited', NOT a.attislocal) ORDER BY a.attnum), '[]')
        FROM pg_attribute a LEFT JOIN pg_attrdef e ON e.adrelid = c.oid AND e.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'indexes', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', x.relname, 'definition', pg_get_indexdef(x.oid), 'valid', i.indisvalid,
            'unique', i.indisunique, 'immediate', i.indimmediate, 'partial', i.indpred IS NOT NULL,
            'keys', (SELECT coalesce(jsonb_agg(coalesce(a.attname, '') ORDER BY n.at), '[]')
                FROM generate_series(0, i.indnkeyatts - 1) n (at)
                LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[n.at]),
            'columns', (SELECT coalesce(jsonb_agg(a.attname), '[]') FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND (a.attnum = ANY (i.indkey::smallint[]) OR EXISTS (
                    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum))),
            'constraint', (SELECT k.contype FROM pg_constraint k
                WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')))
            ORDER BY x.relname), '[]')
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
    'constraints', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid), 'valid', k.convalidated,
            'columns', (SELECT coalesce(jsonb_agg(a.attname), '[]') FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)),
            'comment', obj_description(k.oid, 'pg_constraint'),
            'inherited', k.coninhcount > 0 OR k.conparentid <> 0,
            'referred_by', (SELECT coalesce(jsonb_agg(f.conrelid::regclass::text || '.' || f.conname
                    ORDER BY f.conrelid::regclass::text, f.conname), '[]')
                FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.conindid = k.conindid
                AND k.contype IN ('p', 'u') AND f.conparentid = 0),
            'references', CASE WHEN k.contype = 'f' THEN k.confrelid::regclass::text END)
            ORDER BY k.conname), '[]')
        FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 't'),
    'referenced_by', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', k.conname, 'table', k.conrelid::regclass::text,
            'columns', (SELECT jsonb_agg(a.attname) FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (k.confkey)))
            ORDER BY k.conrelid::regclass::text, k.conname), '[]')
        FROM pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f'),
    'triggers', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', t.tgname, 'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled,
            'columns', (SELECT coalesce(jsonb_agg(a.attname), '[]') FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr::smallint[])))
            ORDER BY t.tgname), '[]')
        FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
) AS seen
FROM unnest($1::text[]) asked (name)
JOIN pg_class c ON c.oid = to_regclass(asked.name)
