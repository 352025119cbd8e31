-- The indexes in the schemas $1, with their validity, and the extended statistics.
SELECT 'index' AS kind, format('%I.%I', n.nspname, x.relname) AS identity,
       concat_ws(', ',
         pg_get_indexdef(i.indexrelid),
         CASE WHEN NOT i.indisvalid THEN 'invalid' END,
         CASE WHEN NOT i.indisready THEN 'not ready' END,
         CASE WHEN i.indisclustered THEN 'clustered on' END,
         CASE WHEN i.indisreplident THEN 'replica identity' END,
         CASE WHEN NOT i.indimmediate THEN 'deferrable' END,
         'tablespace ' || t.spcname,
         'owner ' || pg_get_userbyid(x.relowner),
         (SELECT 'partition of ' || h.inhparent::regclass FROM pg_inherits h WHERE h.inhrelid = i.indexrelid),
         (SELECT 'statistics ' || string_agg(format('%s: %s', a.attnum, a.attstattarget), ', ' ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND coalesce(a.attstattarget, -1) >= 0)) AS definition
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
LEFT JOIN pg_tablespace t ON t.oid = x.reltablespace
WHERE x.relnamespace = ANY ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indrelid AND d.deptype = 'e')
UNION ALL
SELECT 'statistics', format('%I.%I', n.nspname, s.stxname),
       -- What they are over is a set: the server prints it in the order of the columns' numbers.
       concat_ws(', ', regexp_replace(d.def, ' ON .* FROM ', ' FROM '),
         'on ' || (SELECT string_agg(one, ', ' ORDER BY one COLLATE "C") FROM regexp_split_to_table(substring(d.def FROM ' ON (.*) FROM '), ', ') one),
         'owner ' || pg_get_userbyid(s.stxowner),
         CASE WHEN coalesce(s.stxstattarget, -1) >= 0 THEN 'statistics ' || s.stxstattarget END)
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace
CROSS JOIN LATERAL (SELECT pg_get_statisticsobjdef(s.oid) AS def) d
WHERE s.stxnamespace = ANY ($1::oid[])
