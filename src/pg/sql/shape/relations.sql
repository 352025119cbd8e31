-- Tables, views, sequences and composite types of the schemas $1, without their columns; what a view reads.
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
         WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'composite type' END AS kind,
       format('%I.%I', n.nspname, c.relname) AS identity,
       concat_ws(', ',
         'owner ' || pg_get_userbyid(c.relowner),
         CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
         'access method ' || am.amname,
         'tablespace ' || t.spcname,
         'with (' || array_to_string(c.reloptions, ', ') || ')',
         CASE c.relreplident WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing' WHEN 'i' THEN 'replica identity index' END,
         CASE WHEN c.relrowsecurity THEN 'row security' END,
         CASE WHEN c.relforcerowsecurity THEN 'forced row security' END,
         'of type ' || nullif(c.reloftype, 0)::regtype,
         'partition by ' || CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
         (SELECT string_agg(format('%s %s', CASE WHEN c.relispartition THEN 'partition of' ELSE 'inherits' END, h.inhparent::regclass), ', ' ORDER BY h.inhseqno)
          FROM pg_inherits h WHERE h.inhrelid = c.oid),
         CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
         'server ' || (SELECT quote_ident(s.srvname) || coalesce(' (' || array_to_string(f.ftoptions, ', ') || ')', '')
                       FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
         (SELECT format('%s start %s increment %s from %s to %s cache %s%s', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
                        s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END)
          FROM pg_sequence s WHERE s.seqrelid = c.oid),
         (SELECT 'owned by ' || format('%s.%I', d.refobjid::regclass, a.attname)
          FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i')),
         CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END,
         CASE WHEN c.relkind IN ('v', 'm') THEN 'as' || pg_get_viewdef(c.oid) END) AS definition
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relnamespace = ANY ($1::oid[]) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
