-- What decides whether an update of columns ($2) of a table ($1) stays on its page: indexes that
-- depend on one of them, the room that pages keep, and how old the oldest snapshot is that we may see.
SELECT ARRAY(
         SELECT DISTINCT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         JOIN pg_am am ON am.oid = c.relam
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = ANY ($2::text[])
         WHERE i.indrelid = to_regclass($1)::oid -- Since 16 an index that summarizes pages does not stand in the way.
           AND (am.amname <> 'brin' OR current_setting('server_version_num')::int < 160000)
           AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
             SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))
         ORDER BY 1) AS indexes,
       (SELECT option_value::int FROM pg_class c CROSS JOIN LATERAL pg_options_to_table(c.reloptions)
        WHERE c.oid = to_regclass($1)::oid AND option_name = 'fillfactor') AS fillfactor,
       (SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8 FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_xmin IS NOT NULL AND state IS NOT NULL) AS oldest_s
