-- What reads columns of tables and must be made again where one of them is exchanged for another:
-- views (also views on views) and materialized views, policies, publications with a column list
-- or a row filter, and extended statistics, each with the statements that make it as it is.
-- $1: the tables, as SQL writes them. One row for each table and object, a view after what it reads.
WITH RECURSIVE tree AS (
    SELECT asked.name, to_regclass(asked.name)::oid AS top, to_regclass(asked.name)::oid AS oid FROM unnest($1::text[]) asked (name)
    UNION SELECT tree.name, tree.top, h.inhrelid FROM pg_inherits h JOIN tree ON h.inhparent = tree.oid
),
direct AS (
    SELECT tree.name, tree.top, tree.oid, d.classid, d.objid, a.attname
    FROM tree
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = tree.oid AND d.refobjsubid > 0
    JOIN pg_attribute a ON a.attrelid = tree.oid AND a.attnum = d.refobjsubid
),
whole AS (
    SELECT direct.name, direct.top, direct.classid, direct.objid, array_agg(DISTINCT direct.attname) AS reads
    FROM direct GROUP BY direct.name, direct.top, direct.classid, direct.objid
),
-- Each way by which a view reads a column, and how many views there are on it.
ways AS (
    SELECT direct.name, r.ev_class AS id, direct.attname, 1 AS level,
           -- It shows columns of a row that it groups by the primary key.
           EXISTS (SELECT FROM pg_depend d JOIN pg_constraint n ON d.refclassid = 'pg_constraint'::regclass AND n.oid = d.refobjid
                   WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND n.conrelid = direct.oid) AS keyed
    FROM direct JOIN pg_rewrite r ON direct.classid = 'pg_rewrite'::regclass AND r.oid = direct.objid AND r.rulename = '_RETURN'
    UNION
    SELECT ways.name, r.ev_class, ways.attname, ways.level + 1, ways.keyed
    FROM ways
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = ways.id AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN' AND r.ev_class <> ways.id
),
views AS (
    SELECT ways.name, ways.id, ways.id::regclass::text AS called, max(ways.level) AS level, bool_or(ways.keyed) AS keyed,
           array_agg(DISTINCT ways.attname) AS reads
    FROM ways GROUP BY ways.name, ways.id
),
-- The statements that make a view again, beside the one that creates it; `part` is their order.
parts AS (
    SELECT v.id, 1 AS part, '' AS within, format('ALTER %s %s OWNER TO %I', k.word, v.called, pg_get_userbyid(c.relowner)) AS sql
    FROM (SELECT DISTINCT id, called FROM views) v JOIN pg_class c ON c.oid = v.id
    CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS word) k
    UNION ALL
    -- What new relations get by default.
    SELECT DISTINCT v.id, 2, '', format('REVOKE ALL ON %s FROM %s', v.id::regclass, coalesce(quote_ident(g.rolname), 'PUBLIC'))
    FROM views v JOIN pg_class c ON c.oid = v.id
    JOIN pg_default_acl f ON f.defaclobjtype = 'r' AND f.defaclnamespace IN (0, c.relnamespace)
    CROSS JOIN LATERAL aclexplode(f.defaclacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE x.grantee <> c.relowner
    UNION ALL
    SELECT DISTINCT v.id, 3, '', format('REVOKE ALL ON %s FROM %I', v.id::regclass, pg_get_userbyid(c.relowner))
    FROM views v JOIN pg_class c ON c.oid = v.id
    WHERE EXISTS (SELECT x.privilege_type FROM aclexplode(acldefault('r', c.relowner)) x WHERE c.relacl IS NOT NULL
                  EXCEPT SELECT x.privilege_type FROM aclexplode(c.relacl) x WHERE x.grantee = c.relowner)
    UNION ALL
    SELECT DISTINCT v.id, 4, coalesce(g.rolname, ''), format('GRANT %s ON %s TO %s%s', x.privilege_type, v.id::regclass,
           coalesce(quote_ident(g.rolname), 'PUBLIC'), CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM views v JOIN pg_class c ON c.oid = v.id
    CROSS JOIN LATERAL aclexplode(c.relacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee
    WHERE x.grantee <> c.relowner
       OR EXISTS (SELECT y.privilege_type FROM aclexplode(acldefault('r', c.relowner)) y
                  EXCEPT SELECT y.privilege_type FROM aclexplode(c.relacl) y WHERE y.grantee = c.relowner)
    UNION ALL
    SELECT DISTINCT v.id, 5, coalesce(g.rolname, ''), format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type, a.attname, v.id::regclass,
           coalesce(quote_ident(g.rolname), 'PUBLIC'), CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM views v JOIN pg_attribute a ON a.attrelid = v.id
    CROSS JOIN LATERAL aclexplode(a.attacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee
    UNION ALL
    SELECT DISTINCT v.id, 6, '', format('COMMENT ON %s %s IS %L', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
           v.id::regclass, obj_description(c.oid, 'pg_class'))
    FROM views v JOIN pg_class c ON c.oid = v.id WHERE obj_description(c.oid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT DISTINCT v.id, 7, a.attname::text, format('COMMENT ON COLUMN %s.%I IS %L', v.id::regclass, a.attname, col_description(v.id, a.attnum))
    FROM views v JOIN pg_attribute a ON a.attrelid = v.id AND a.attnum > 0 WHERE col_description(v.id, a.attnum) IS NOT NULL
    UNION ALL
    SELECT DISTINCT v.id, 8, a.attname::text, format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', v.id::regclass, a.attname, pg_get_expr(e.adbin, e.adrelid))
    FROM views v JOIN pg_attrdef e ON e.adrelid = v.id JOIN pg_attribute a ON a.attrelid = v.id AND a.attnum = e.adnum
    UNION ALL
    SELECT DISTINCT v.id, 8, a.attname::text, format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET STATISTICS %s', v.id::regclass, a.attname, a.attstattarget)
    FROM views v JOIN pg_class c ON c.oid = v.id AND c.relkind = 'm' JOIN pg_attribute a ON a.attrelid = v.id AND a.attnum > 0
    WHERE coalesce(a.attstattarget, -1) >= 0
    UNION ALL
    SELECT DISTINCT v.id, 9, r.rulename::text, x.sql
    FROM views v JOIN pg_rewrite r ON r.ev_class = v.id AND r.rulename <> '_RETURN'
    CROSS JOIN LATERAL (VALUES (rtrim(pg_get_ruledef(r.oid), ';')),
        (format('COMMENT ON RULE %I ON %s IS %L', r.rulename, v.id::regclass, obj_description(r.oid, 'pg_rewrite')))) x (sql)
    WHERE x.sql NOT LIKE 'COMMENT ON RULE %' OR obj_description(r.oid, 'pg_rewrite') IS NOT NULL
    UNION ALL
    SELECT DISTINCT v.id, 10, t.tgname || x.n, x.sql
    FROM views v JOIN pg_trigger t ON t.tgrelid = v.id AND NOT t.tgisinternal
    CROSS JOIN LATERAL (VALUES (1, pg_get_triggerdef(t.oid)),
        (2, format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, v.id::regclass, obj_description(t.oid, 'pg_trigger')))) x (n, sql)
    WHERE x.n = 1 OR obj_description(t.oid, 'pg_trigger') IS NOT NULL
)
SELECT name, jsonb_build_object('kind', kind, 'said', said, 'called', called, 'reads', to_jsonb(reads),
       'definition', definition, 'lock', lock, 'drop', dropped, 'make', to_jsonb(array_remove(make, NULL)), 'blocked', coalesce(to_jsonb(array_remove(blocked, NULL)), '[]'),
       'indexes', indexes, 'filled', filled, 'level', level, 'keyed', keyed) AS seen
FROM (
    SELECT v.name, v.level, v.called, v.reads, k.word AS kind, pg_describe_object('pg_class'::regclass, v.id, 0) AS said,
           pg_get_viewdef(v.id) AS definition, format('DROP %s %s', upper(k.word), v.called) AS dropped,
           -- It has this owner, so that nothing changes.
           format('ALTER %s %s OWNER TO %I', upper(k.word), v.called, pg_get_userbyid(c.relowner)) AS lock,
           ARRAY[format('CREATE %s %s%s%s AS%s%s', upper(k.word), v.called,
                        ' WITH (' || (SELECT string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ')
                                      FROM unnest(c.reloptions) o) || ')',
                        ' TABLESPACE ' || quote_ident(s.spcname), E'\n' || rtrim(pg_get_viewdef(v.id), ';'),
                        CASE c.relkind WHEN 'm' THEN E'\nWITH NO DATA' END)]
           || (SELECT array_agg(p.sql ORDER BY p.part, p.within, p.sql COLLATE "C") FROM parts p WHERE p.id = v.id) AS make,
           (SELECT array_agg(DISTINCT what ORDER BY what) FROM (
                -- What would make its drop fail, or would be lost with it.
                SELECT pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on it'
                FROM pg_depend d
                WHERE d.deptype IN ('n', 'e')
                  AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = v.id
                       OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (c.reltype, (SELECT y.typarray FROM pg_type y WHERE y.oid = c.reltype)))
                  AND NOT EXISTS (SELECT FROM pg_rewrite r JOIN views w ON w.id = r.ev_class AND w.name = v.name
                                  WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid)
                UNION ALL
                SELECT 'extension ' || e.extname || ' made it' FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = v.id AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
                UNION ALL
                SELECT 'a security label is on it' FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = v.id
                UNION ALL
                SELECT 'rules or triggers of it are switched off' FROM pg_trigger t WHERE t.tgrelid = v.id AND t.tgenabled <> 'O'
                UNION ALL
                SELECT 'rules or triggers of it are switched off' FROM pg_rewrite r WHERE r.ev_class = v.id AND r.ev_enabled <> 'O'
                UNION ALL
                SELECT 'extended statistics are on it' FROM pg_statistic_ext t WHERE t.stxrelid = v.id
                UNION ALL
                SELECT 'it reads ' || w.called || ', which must be made again while it is filled'
                FROM views w JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = w.id AND d.classid = 'pg_rewrite'::regclass
                JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class = v.id
                WHERE c.relkind = 'm' AND w.name = v.name AND w.id <> v.id
            ) x (what)) AS blocked,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('name', x.relname, 'definition', pg_get_indexdef(x.oid), 'called', x.oid::regclass::text,
                       'comment', obj_description(x.oid, 'pg_class'), 'clustered', i.indisclustered) ORDER BY x.relname), '[]')
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = v.id) AS indexes,
           c.relkind = 'm' AND c.relispopulated AS filled, v.keyed
    FROM views v JOIN pg_class c ON c.oid = v.id LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
    CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS word) k
    UNION ALL
    SELECT whole.name, 1000, quote_ident(p.polname), whole.reads, 'policy',
           pg_describe_object('pg_policy'::regclass, p.oid, 0), concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)),
           format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass), NULL,
           ARRAY[format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, p.polrelid::regclass,
                    CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                    CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                    (SELECT string_agg(CASE WHEN role = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ' ORDER BY role) FROM unnest(p.polroles) role),
                    ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
                 CASE WHEN obj_description(p.oid, 'pg_policy') IS NOT NULL
                      THEN format('COMMENT ON POLICY %I ON %s IS %L', p.polname, p.polrelid::regclass, obj_description(p.oid, 'pg_policy')) END],
           ARRAY[CASE WHEN p.polrelid <> whole.top THEN 'it is of another table' END], '[]', false, false
    FROM whole JOIN pg_policy p ON whole.classid = 'pg_policy'::regclass AND p.oid = whole.objid
    UNION ALL
    SELECT whole.name, 1000, quote_ident(p.pubname), whole.reads, 'publication',
           pg_describe_object('pg_publication_rel'::regclass, r.oid, 0), to_jsonb(t) ->> 'rowfilter',
           format('ALTER PUBLICATION %I DROP TABLE %s', p.pubname, r.prrelid::regclass), NULL,
           ARRAY[format('ALTER PUBLICATION %I ADD TABLE %s%s%s', p.pubname, r.prrelid::regclass,
                    ' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                             FROM regexp_split_to_table(to_jsonb(r) ->> 'prattrs', '\D+') k
                             JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = nullif(k, '')::int) || ')',
                    ' WHERE (' || (to_jsonb(t) ->> 'rowfilter') || ')')],
           ARRAY[CASE WHEN r.prrelid <> whole.top THEN 'it publishes a partition by itself' END,
                 CASE WHEN t.pubname IS NULL AND to_jsonb(r) ->> 'prqual' IS NOT NULL THEN 'its row filter cannot be read' END], '[]', false, false
    FROM whole JOIN pg_publication_rel r ON whole.classid = 'pg_publication_rel'::regclass AND r.oid = whole.objid
    JOIN pg_publication p ON p.oid = r.prpubid
    JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_publication_tables t ON t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname
    UNION ALL
    SELECT whole.name, 1000, x.called, whole.reads, 'statistics',
           pg_describe_object('pg_statistic_ext'::regclass, s.oid, 0), pg_get_statisticsobjdef(s.oid), 'DROP STATISTICS ' || x.called, NULL,
           ARRAY[pg_get_statisticsobjdef(s.oid), format('ALTER STATISTICS %s OWNER TO %I', x.called, pg_get_userbyid(s.stxowner)),
                 CASE WHEN coalesce(s.stxstattarget, -1) >= 0 THEN format('ALTER STATISTICS %s SET STATISTICS %s', x.called, s.stxstattarget) END,
                 CASE WHEN obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL
                      THEN format('COMMENT ON STATISTICS %s IS %L', x.called, obj_description(s.oid, 'pg_statistic_ext')) END],
           ARRAY[CASE WHEN s.stxrelid <> whole.top THEN 'it is of a partition' END], '[]', false, false
    FROM whole JOIN pg_statistic_ext s ON whole.classid = 'pg_statistic_ext'::regclass AND s.oid = whole.objid
    JOIN pg_namespace n ON n.oid = s.stxnamespace
    CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, s.stxname) AS called) x
) found
ORDER BY name, level, said
