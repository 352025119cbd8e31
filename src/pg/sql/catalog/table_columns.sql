-- The columns of a table that can be written, with their types.
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type_name
FROM pg_attribute a
WHERE a.attrelid = to_regclass($1)::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
