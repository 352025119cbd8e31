-- What recipes need to know of tables.
-- $1: their names, as SQL writes them. One row each that is there, as JSON.
SELECT asked.name, jsonb_build_object(
    'kind', c.relkind,
    'schema', c.relnamespace::regnamespace,
    'inherited', EXISTS (SELECT FROM pg_inherits h JOIN pg_class b ON b.oid = h.inhrelid
                         WHERE h.inhparent = c.oid AND NOT b.relispartition),
    'partition_key', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_partitioned_table p
        JOIN pg_attribute a ON a.attrelid = c.oid AND (a.attnum = ANY (p.partattrs::smallint[])
            -- Also inside of an expression of the key.
            OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype = 'i'))
        WHERE p.partrelid = c.oid AND a.attnum > 0),
    'partitions', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', b.relname, 'kind', b.relkind,
            'schema', CASE WHEN b.relnamespace <> c.relnamespace THEN s.nspname END)
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
            'numbers', (SELECT jsonb_build_object('name', q.oid::regclass, 'kind', format_type(n.seqtypid, NULL),
                    'start', n.seqstart, 'increment', n.seqincrement, 'min', n.seqmin, 'max', n.seqmax,
                    'cache', n.seqcache, 'cycle', n.seqcycle, 'comment', obj_description(q.oid, 'pg_class'),
                    'grants', (SELECT coalesce(jsonb_agg(jsonb_build_object('to', g.rolname, 'privilege', x.privilege_type,
                           'grantable', x.is_grantable) ORDER BY g.rolname, x.privilege_type), '[]')
                        FROM aclexplode(q.relacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE x.grantee <> q.relowner))
                FROM pg_class q JOIN pg_sequence n ON n.seqrelid = q.oid
                WHERE q.oid = pg_get_serial_sequence(c.oid::regclass::text, a.attname)::regclass),
            'comment', col_description(c.oid, a.attnum),
            'statistics', CASE WHEN coalesce(a.attstattarget, -1) >= 0 THEN a.attstattarget END,
            'options', array_to_string(a.attoptions, ', '),
            'storage', (SELECT CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
                        FROM pg_type y WHERE y.oid = a.atttypid AND y.typstorage <> a.attstorage),
            'compression', CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
            'collation', (SELECT a.attcollation::regcollation::text FROM pg_type y
                          WHERE y.oid = a.atttypid AND a.attcollation NOT IN (0, y.typcollation)),
            'grants', (SELECT coalesce(jsonb_agg(jsonb_build_object('to', g.rolname, 'privilege', x.privilege_type,
                           'grantable', x.is_grantable) ORDER BY g.rolname, x.privilege_type), '[]')
                       FROM aclexplode(a.attacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee),
            'labels', (SELECT coalesce(jsonb_agg(l.enumlabel ORDER BY l.enumsortorder), '[]') FROM pg_enum l WHERE l.enumtypid = a.atttypid),
            'inherited', NOT a.attislocal) ORDER BY a.attnum), '[]')
        FROM pg_attribute a LEFT JOIN pg_attrdef e ON e.adrelid = c.oid AND e.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'indexes', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', x.relname, 'definition', pg_get_indexdef(x.oid), 'valid', i.indisvalid,
            'comment', obj_description(x.oid, 'pg_class'), 'clustered', i.indisclustered, 'replica_identity', i.indisreplident,
            'unique', i.indisunique, 'immediate', i.indimmediate, 'partial', i.indpred IS NOT NULL,
            'keys', (SELECT coalesce(jsonb_agg(coalesce(a.attname, '') ORDER BY n.at), '[]')
                FROM generate_series(0, i.indnkeyatts - 1) n (at)
                LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[n.at]),
            'columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND (a.attnum = ANY (i.indkey::smallint[]) OR EXISTS (
                    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum))),
            'constraint', (SELECT k.contype FROM pg_constraint k
                WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')))
            ORDER BY x.relname), '[]')
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
    'constraints', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid), 'valid', k.convalidated,
            'columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)),
            'comment', obj_description(k.oid, 'pg_constraint'),
            'inherited', k.coninhcount > 0 OR k.conparentid <> 0,
            'referred_by', (SELECT coalesce(jsonb_agg(f.conrelid::regclass::text || '.' || f.conname
                    ORDER BY f.conrelid::regclass::text, f.conname), '[]')
                FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.conindid = k.conindid
                AND k.contype IN ('p', 'u') AND f.conparentid = 0),
            'references', CASE WHEN k.contype = 'f' THEN k.confrelid::regclass::text END,
            'key', (SELECT coalesce(jsonb_agg(a.attname ORDER BY n.at), '[]')
                    FROM unnest(k.conkey) WITH ORDINALITY n (num, at)
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.num WHERE k.contype = 'f'),
            'refers', (SELECT coalesce(jsonb_agg(a.attname ORDER BY n.at), '[]')
                    FROM unnest(k.confkey) WITH ORDINALITY n (num, at)
                    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.num))
            ORDER BY k.conname), '[]')
        FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 't'),
    'referenced_by', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', k.conname, 'table', k.conrelid::regclass::text,
            'columns', (SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (k.confkey)),
            'own', k.conrelid = c.oid OR k.conrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))
            ORDER BY k.conrelid::regclass::text, k.conname), '[]')
        FROM pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0),
    'triggers', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', t.tgname, 'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled,
            'comment', obj_description(t.oid, 'pg_trigger'),
            'columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr::smallint[])),
            'function', t.tgfoid::regprocedure,
            -- The columns that its function names of NEW or OLD; contract stops there, as core/compile/bodies.rs says.
            'says', (SELECT coalesce(jsonb_agg(DISTINCT a.attname), '[]')
                FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
                CROSS JOIN LATERAL (SELECT CASE WHEN m[1] LIKE '"%' THEN replace(substr(m[1], 2, length(m[1]) - 2), '""', '"') ELSE translate(m[1], 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') END AS name
                    FROM regexp_matches(p.prosrc, '\m(?:new|old)"?[[:space:]]*\.[[:space:]]*("(?:[^"]|"")+"|(?:[^[:space:][:punct:]]|[_$])+)', 'gi') m) said
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = said.name AND a.attnum > 0
                WHERE p.oid = t.tgfoid AND t.tgenabled <> 'D' AND NOT starts_with(t.tgname::text, 'zz_phase_')))
            ORDER BY t.tgname), '[]')
        FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
) || jsonb_build_object(
    'owner', pg_get_userbyid(c.relowner),
    'grants', (SELECT coalesce(jsonb_agg(jsonb_build_object('to', g.rolname, 'privilege', x.privilege_type,
                   'grantable', x.is_grantable) ORDER BY g.rolname, x.privilege_type), '[]')
               FROM aclexplode(c.relacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE x.grantee <> c.relowner),
    'granted_by_default', (SELECT coalesce(jsonb_agg(DISTINCT g.rolname), '[]')
        FROM pg_default_acl f CROSS JOIN LATERAL aclexplode(f.defaclacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee
        WHERE f.defaclobjtype = 'r' AND f.defaclnamespace IN (0, c.relnamespace) AND x.grantee <> c.relowner),
    'row_security', c.relrowsecurity,
    'publications', (SELECT coalesce(jsonb_agg(DISTINCT t.pubname), '[]') FROM pg_publication_tables t
                     WHERE t.schemaname = (SELECT n.nspname FROM pg_namespace n WHERE n.oid = c.relnamespace) AND t.tablename = c.relname),
    'subscribed', EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = c.oid),
    'rules', (SELECT coalesce(jsonb_agg(r.rulename ORDER BY r.rulename), '[]')
              FROM pg_rewrite r WHERE r.ev_class = c.oid AND c.relkind IN ('r', 'p')),
    'row_type', (SELECT coalesce(jsonb_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)), '[]')
                 FROM pg_type y JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (y.oid, y.typarray)
                 WHERE y.oid = c.reltype AND d.deptype = 'n'),
    'own', (SELECT jsonb_agg(o.oid::regclass ORDER BY o.oid::regclass::text) FROM (SELECT c.oid UNION SELECT relid FROM pg_partition_tree(c.oid)) o),
    'partition', c.relispartition,
    'index', (SELECT jsonb_build_object(
            'table', i.indrelid::regclass, 'unique', i.indisunique, 'replica_identity', i.indisreplident,
            'constraint', (SELECT k.conname FROM pg_constraint k
                WHERE k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')),
            'part_of', (SELECT h.inhparent::regclass FROM pg_inherits h WHERE h.inhrelid = c.oid),
            'needed_by', (SELECT coalesce(jsonb_agg(k.conname || ' of ' || k.conrelid::regclass ORDER BY k.conname), '[]')
                FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype = 'f'))
        FROM pg_index i WHERE i.indexrelid = c.oid)
) AS seen
FROM unnest($1::text[]) asked (name)
JOIN pg_class c ON c.oid = to_regclass(asked.name)
