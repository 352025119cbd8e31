-- The columns of the key to walk, in index order: the primary key, or ($2) a
-- unique index over exactly these NOT NULL columns.
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type_name
FROM (
  SELECT i.indrelid, i.indkey::int2[] AS keys, i.indnkeyatts
  FROM pg_index i
  WHERE i.indrelid = to_regclass($1)::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    AND CASE WHEN $2::text[] IS NULL THEN i.indisprimary ELSE $2::text[] = ARRAY(
      SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND a.attnotnull
      WHERE k.n <= i.indnkeyatts ORDER BY k.n) END
  ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1
) AS chosen
CROSS JOIN LATERAL unnest(chosen.keys) WITH ORDINALITY AS k(attnum, n)
JOIN pg_attribute a ON a.attrelid = chosen.indrelid AND a.attnum = k.attnum
WHERE k.n <= chosen.indnkeyatts
ORDER BY k.n
